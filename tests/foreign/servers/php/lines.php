<?php
// Actions on lines of their own: the platform joins them with &.
echo "id_list_message=t-ברוכים הבאים\n";
echo "go_to_folder=/1\n";
