<?php
// A conversation under one name. Its rows have more empty fields than the modes have.
$speech = speakable($_REQUEST['speech'] ?? '');

function speakable(string $said): string
{
    return str_replace(['.', '-', '&', '=', '"', "'", '|', "\r", "\n"], ' ', $said);
}

if (isset($_REQUEST['message'])) {
    exit("id_list_message=t-ההודעה נשמרה&go_to_folder=hangup");
}
if (str_contains($speech, 'הודעה')) {
    exit("read=t-הקליטו=message,no,record,/9,,no,,,,60,,,");
}
if ($speech !== '') {
    exit("read=t-אמרתם $speech מה עוד=speech,no,voice,,,,,,,");
}
exit("read=t-שלום=speech,no,voice,,,,,,,");
