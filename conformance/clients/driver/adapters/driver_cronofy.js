// Drives cronofy, Cronofy's client for Node (`npm install cronofy`), as its README uses it: with its own https
// hosts, which are reached through the proxy and the certificate authority that the environment names.
//
// Run it by `cronofy-conformance certify -- node driver_cronofy.js` where `require('cronofy')` finds the package
// (NODE_PATH, or a node_modules folder beside or above this file).
'use strict';

const readline = require('readline');
const Cronofy = require('cronofy');
const { version } = require('cronofy/package.json');

let client;

const methods = {
  start: async (params) => {
    client = new Cronofy({ access_token: params.access_token, data_center: params.data_center });
    return { client: 'cronofy', version, language: 'javascript' };
  },
  upsert_event: async (params) => {
    await client.createEvent({ calendar_id: params.calendar_id, ...params.event });
    return {};
  },
  read_events: async (params) => {
    let page = await client.readEvents({ ...params.params, calendar_ids: params.calendar_ids });
    const events = [...page.events];
    while (page.pages.next_page) {
      page = await client.readEvents({ next_page: page.pages.next_page });
      events.push(...page.events);
    }
    return { events };
  },
  delete_event: async (params) => {
    await client.deleteEvent({ calendar_id: params.calendar_id, event_id: params.event_id });
    return {};
  },
  list_calendars: async () => ({ calendars: (await client.listCalendars()).calendars }),
  batch: async (params) => ({ responses: (await client.batch({ batch: params.entries })).batch }),
  verify_notification: async (params) => ({
    valid: client.hmacValid({
      hmac: params.header,
      body: Buffer.from(params.body_base64, 'base64').toString(),
      client_secret: params.client_secret,
    }),
  }),
  stop: async () => ({}),
};

async function answer ({ method, params }) {
  if (!Object.hasOwn(methods, method)) {
    return { error: { code: -32601, message: `cronofy has no ${method}` } };
  }
  try {
    return { result: await methods[method](params) };
  } catch (error) {
    return { error: { code: -32000, message: String(error.message), ...reported(error) } };
  }
}

function reported (error) {
  if (!error.statusCode) {
    return {};
  }
  const errors = error.statusCode === 422 ? { errors: error.error.entity.errors } : {};
  return { data: { status: error.statusCode, ...errors } };
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id: request.id, ...(await answer(request)) }) + '\n');
    if (request.method === 'stop') {
      process.exit(0);
    }
  }
})();
