<?php
// Reads a value that the first request does not have: PHP writes a warning into the answer.
ini_set('display_errors', '1');
$name = $_REQUEST['name'];
echo "read=t-מה שמך=name,no,voice";
