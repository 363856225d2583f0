"""What users write -> clips: tables and folders."""
