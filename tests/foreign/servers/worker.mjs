// The handler of a cloud worker: a Request in, a Response out. It answers POST only.
import { createServer } from 'node:http';

const text = (line) => new Response(`${line}\r\n`, { headers: { 'Content-Type': 'application/json' } });

const speakable = (said) => said.replace(/[.\-&="'|\r\n]+/g, ' ');

async function handle(request) {
    if (request.method !== 'POST') {
        return new Response('Method Not Allowed', { status: 405 });
    }
    const { pathname } = new URL(request.url);
    const form = await request.formData();
    if (pathname === '/quoted') {
        return Response.json('go_to_folder=hangup'); // JSON.stringify adds the quotes
    }
    if (!form.has('city')) {
        return text('read=t-באיזו עיר=city,no,voice');
    }
    const city = speakable(form.getAll('city').at(-1));
    return text(`id_list_message=t-מזג האוויר ב ${city} נאה&go_to_folder=hangup`);
}

const server = createServer(async (incoming, outgoing) => {
    const { method, headers } = incoming;
    const body = method === 'POST' ? incoming : undefined;
    const request = new Request(`http://127.0.0.1${incoming.url}`, { method, headers, body, duplex: 'half' });
    const response = await handle(request);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
});

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
    console.log(`listening on ${server.address().port}`);
});
