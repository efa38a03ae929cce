"""The platform's API, by which a program reads and changes a line: commands, errors, ``ext.ini`` files."""
