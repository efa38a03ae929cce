// A questionnaire in the rows of yemot-router 4.4, which writes every field, the defaults too.
import { serve } from './form_server.mjs';

const yesNo = (value) => (value ? 'yes' : 'no');

const tap = (name, { max = '*', min = 1, allowed = [] }) =>
    [name, 'no', max, min, 7, 'No', 'no', 'no', '', allowed.join('.'), '', 'no', '', ''].join(',');

const voice = (name, { typing = false }) => [name, 'no', 'voice', '', yesNo(typing)].join(',');

const record = (name, { menu = true }) => [name, 'no', 'record', '', '', yesNo(menu), 'no', 'no', '', ''].join(',');

const QUESTIONS = [
    { text: 'לחדשות הקישו 1 לשיעורים 2 להודעות 3', row: tap, options: { max: 1, allowed: [1, 2, 3] } },
    { text: 'אמרו או הקישו עיר', row: voice, options: { typing: true } },
    { text: 'הקליטו הודעה', row: record, options: {} },
    { text: 'הקישו מספר ילדים', row: tap, options: { max: 2 } }
];

// An empty value is asked again under the next name.
function conversation(values) {
    let number = 1;
    const answers = [];
    for (const question of QUESTIONS) {
        while (values[`val_${number}`] === '') {
            number++;
        }
        const name = `val_${number++}`;
        if (!(name in values)) {
            return `read=t-${question.text}=${question.row(name, question.options)}`;
        }
        answers.push(values[name]);
    }
    return `id_list_message=t-בחרתם ${answers[0]} ${answers[1]}&`;
}

serve(conversation);
