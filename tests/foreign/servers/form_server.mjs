// Passes the values of each request, the newest of a repeated name, to a function, and sends what it returns.
import { createServer } from 'node:http';

const body = async (request) => {
    let text = '';
    for await (const chunk of request) {
        text += chunk;
    }
    return text;
};

export function serve(answer) {
    const server = createServer(async (request, response) => {
        const url = new URL(request.url, 'http://127.0.0.1');
        const form = new URLSearchParams(await body(request));
        const values = Object.fromEntries([...url.searchParams, ...form]);
        response.end(await answer(values, url.pathname));
    });
    server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
        console.log(`listening on ${server.address().port}`);
    });
}
