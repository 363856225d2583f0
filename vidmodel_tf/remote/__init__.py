"""Files in object stores, by fsspec and the packages that users bring for their own."""
