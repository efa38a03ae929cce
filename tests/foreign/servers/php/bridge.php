<?php
// Passes a request on to the script that answers it: with a redirect, or itself with another status.
$way = substr($_SERVER['PATH_INFO'], 1);

if ($way === '201') {
    http_response_code(201);
    require 'register.php';
} elseif ($way === 'loop') {
    header('Location: /bridge.php/loop');
} elseif ($way === 'here') {
    header('Location: http://' . $_SERVER['HTTP_HOST'] . '/register.php?' . $_SERVER['QUERY_STRING']);
} else {
    header('Location: /register.php?' . ($_SERVER['QUERY_STRING'] ?? ''), true, (int) $way);
}
