"""The whole way on clips that it draws itself."""
