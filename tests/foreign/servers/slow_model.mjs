import { createServer } from 'node:http';

const askModel = (question) =>
    new Promise((resolve) => setTimeout(() => resolve(`שאלתם ${question}`), 4000));

const answers = new Map(); // by call: the answer, null while the model writes

function respond(params) {
    const call = params.get('ApiCallId');
    if (!params.has('question')) return 'read=t-מה תרצו לשאול=question,no,voice';
    if (!answers.has(call)) {
        answers.set(call, null);
        askModel(params.get('question')).then((text) => answers.set(call, text));
    }
    const text = answers.get(call);
    if (text === null) {
        // The line plays this, waits a second for a key, and asks again.
        const polls = [...params.keys()].filter((name) => name.startsWith('poll_')).length;
        return `read=t-רק רגע=poll_${polls + 1},no,1,1,1,No,,,,,1,Ok,None,,no`;
    }
    answers.delete(call);
    return `id_list_message=t-${text.replace(/[.\-&="'|\r\n]/g, ' ')}&go_to_folder=hangup`;
}

createServer((request, response) => {
    response.end(respond(new URL(request.url, 'http://line').searchParams));
}).listen(process.env.PORT);
