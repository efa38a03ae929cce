<?php
// Saved with a byte order mark by an editor.
echo "go_to_folder=hangup";
