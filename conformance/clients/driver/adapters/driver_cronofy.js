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

const known = {
  start: async (ask) => {
    client = new Cronofy({ access_token: ask.access_token, data_center: ask.data_center });
    return { client: 'cronofy', version, language: 'javascript' };
  },
  upsert_event: async (ask) => {
    await client.createEvent({ calendar_id: ask.calendar_id, ...ask.event });
    return {};
  },
  read_events: async (ask) => {
    let page = await client.readEvents({ ...ask.params, calendar_ids: ask.calendar_ids });
    const events = [...page.events];
    while (page.pages.next_page) {
      page = await client.readEvents({ next_page: page.pages.next_page });
      events.push(...page.events);
    }
    return { events };
  },
  delete_event: async (ask) => {
    await client.deleteEvent({ calendar_id: ask.calendar_id, event_id: ask.event_id });
    return {};
  },
  list_calendars: async () => ({ calendars: (await client.listCalendars()).calendars }),
  stop: async () => ({}),
};

async function answer (ask) {
  if (!Object.hasOwn(known, ask.do)) {
    return { unsupported: `cronofy has no ${ask.do}` };
  }
  try {
    return { ok: await known[ask.do](ask) };
  } catch (error) {
    return { error: told(error) };
  }
}

function told (error) {
  const result = { message: String(error.message) };
  if (error.statusCode) {
    result.status = error.statusCode;
  }
  if (error.statusCode === 422) {
    result.errors = error.error.entity.errors;
  }
  return result;
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const ask = JSON.parse(line);
    process.stdout.write(JSON.stringify({ id: ask.id, ...(await answer(ask)) }) + '\n');
    if (ask.do === 'stop') {
      process.exit(0);
    }
  }
})();
