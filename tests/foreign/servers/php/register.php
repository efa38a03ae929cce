<?php
// A registration: answers at the end of the file have the blank line below them, those before an exit do not.
$choice = $_REQUEST['choice'] ?? null;

if ($choice === null) {
    echo "read=t-להרשמה הקישו 1 לביטול 2=choice,no,1,1,7,No";
    exit;
}
if ($choice !== '1' && $choice !== '2') {
    echo "id_list_message=t-אין אפשרות כזו&read=t-להרשמה 1 לביטול 2=choice,no,1,1,7,No";
    exit;
}
if ($choice === '2') {
    echo "id_list_message=t-ההרשמה בוטלה&go_to_folder=hangup";
    exit;
}
if (!isset($_REQUEST['id'])) {
    echo "read=t-הקישו מספר זהות=id,no,9,8,10,No";
} else {
    echo "id_list_message=t-נרשמתם.d-" . $_REQUEST['id'] . "&go_to_folder=hangup&";
}
?>


