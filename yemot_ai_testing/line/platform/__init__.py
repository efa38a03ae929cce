"""The files of a line: `ext.ini`, extensions, folders, settings."""
