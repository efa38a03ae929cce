// A waiting room: callers poll until a person opens it.
import { serve } from './form_server.mjs';

const polls = new Map(); // call id -> how often it has polled
const admitted = new Set();

function line(values) {
    const call = values.ApiCallId;
    if (values.hangup === 'yes') {
        polls.delete(call);
        return '';
    }
    if (admitted.delete(call)) {
        polls.delete(call);
        return 'id_list_message=t-הרב פנוי&go_to_folder=hangup';
    }
    const count = (polls.get(call) ?? 0) + 1;
    polls.set(call, count);
    return `read=t-אתם ממתינים=w_${count},no,1,1,1,No,,,,,1,Ok,None,,no`;
}

function admin(path) {
    if (path === '/admin/open') {
        [...polls.keys()].forEach((call) => admitted.add(call));
    }
    return JSON.stringify({ waiting: polls.size });
}

serve((values, path) => (path.startsWith('/admin/') ? admin(path) : line(values)));
