// Reads {"schemas": [schema], "keywords": [name], "cases": [{"schema": schema, "values": [value]}]} on stdin
// and writes, for each case, whether each of its values is valid.
"use strict";
const Ajv2020 = require("ajv/dist/2020").default;

let text = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => (text += chunk));
process.stdin.on("end", () => {
  const { schemas, keywords, cases } = JSON.parse(text);
  const ajv = new Ajv2020({ strictSchema: true, strictTypes: false, strictTuples: false, strictRequired: false });
  ajv.addVocabulary(keywords);
  ajv.addSchema(schemas);
  for (const schema of schemas) ajv.getSchema(schema.$id);
  const answers = cases.map(({ schema, values }) => {
    const validate = ajv.compile(schema);
    return values.map((value) => validate(value));
  });
  process.stdout.write(JSON.stringify(answers));
});
