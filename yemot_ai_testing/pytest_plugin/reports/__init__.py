"""Report the calls of a run: in the terminal, as a page, in JUnit files and to GitHub Actions."""
