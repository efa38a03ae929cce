// A bakery's line on yemot-router2, written as its documentation writes one.
import express from 'express';
import { YemotRouter } from 'yemot-router2';

const text = (data) => ({ type: 'text', data });

const router = YemotRouter({
    uncaughtErrorHandler: (error, call) => call.id_list_message([text(`אירעה תקלה ${error.name}`)])
});

router.all('/', async (call) => {
    const cake = await call.read([text('לעוגה הקישו 1'), text('ללחם הקישו 2')], 'tap', {
        max_digits: 1,
        digits_allowed: [1, 2]
    });
    const name = await call.read([text('מה שמכם')], 'stt');
    const greeting = await call.read([text(`שלום ${name}, הקליטו ברכה`)], 'record', {
        path: '/bakery',
        no_confirm_menu: true,
        max_length: 30
    });
    const amount = await call.read([text('כמה יחידות')], 'tap', { max_digits: 2, allow_empty: true, empty_val: '' });
    call.id_list_message([text(`הזמנתם ${cake} פעמים ${amount || 'אחת'}`)], { prependToNextAction: true });
    const remark = await call.read([text('הערות')], 'stt', { max_digits: 1 });
    call.id_list_message([text(`תודה ${name}, ${remark || 'בלי הערות'}`), { type: 'file', data: greeting.replace('.wav', '') }], {
        prependToNextAction: true
    });
    call.hangup();
});

// The engine for long speech, as the types of yemot-router2 offer it.
router.all('/engine', async (call) => {
    await call.read([text('ספרו')], 'stt', { use_records_recognition_engine: true, quiet_max: 3, max_length: 20 });
});

// The same, past the check that refuses it.
router.all('/engine-forced', async (call) => {
    await call.read([text('ספרו')], 'stt', {
        use_records_recognition_engine: true,
        block_typing: undefined,
        quiet_max: 3,
        max_length: 20
    });
    call.hangup();
});

// One name for two questions.
router.all('/reuse', async (call) => {
    const first = await call.read([text('ראשון')], 'tap', { val_name: 'choice', max_digits: 1 });
    const second = await call.read([text('שני')], 'tap', { val_name: 'choice', max_digits: 1 });
    call.id_list_message([text(`${first} ואז ${second}`)], { prependToNextAction: true });
    call.hangup();
});

// A text that the line cannot speak.
router.all('/dash', async (call) => {
    await call.read([text('10-12')], 'tap');
});

// Without an uncaughtErrorHandler, which is how it comes.
const bare = YemotRouter();

bare.all('/bare', async (call) => {
    await call.read([text('10-12')], 'tap');
});

const app = express();
app.use(express.urlencoded({ extended: true }));
app.use('/', router);
app.use('/', bare);

const server = app.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
