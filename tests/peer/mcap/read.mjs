// Reads an MCAP file by its index and again from front to back, checks every message against the schema that its channel names, and
// prints each as a line of JSON; the last line holds what the file says of itself. Sums over chunks and summary are checked.
import { open } from "node:fs/promises";
import { McapIndexedReader, McapStreamReader } from "@mcap/core";
import Ajv from "ajv";

const file = await open(process.argv[2]);
const { size } = await file.stat();
const readable = {
  size: async () => BigInt(size),
  read: async (offset, length) => {
    const bytes = new Uint8Array(Number(length));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, Number(offset));
    if (bytesRead !== bytes.length) throw new Error(`${bytesRead} bytes at ${offset}, not ${length}`);
    return bytes;
  },
};

const ajv = new Ajv({ strict: true, allowUnionTypes: true });
const validators = new Map();
function validatorOf(schema) {
  if (!validators.has(schema.id)) validators.set(schema.id, ajv.compile(JSON.parse(new TextDecoder().decode(schema.data))));
  return validators.get(schema.id);
}

const reader = await McapIndexedReader.Initialize({ readable });
const lines = [];
for await (const message of reader.readMessages()) {
  const channel = reader.channelsById.get(message.channelId);
  const schema = reader.schemasById.get(channel.schemaId);
  if (channel.messageEncoding !== "json" || schema.encoding !== "jsonschema") throw new Error(`encodings of ${channel.topic}`);
  const body = JSON.parse(new TextDecoder().decode(message.data));
  const fits = validatorOf(schema);
  if (!fits(body)) throw new Error(`${channel.topic} ${message.logTime}: ${ajv.errorsText(fits.errors)}`);
  lines.push(JSON.stringify({ topic: channel.topic, schema: schema.name, time: String(message.logTime), sequence: message.sequence, body }));
}

const stream = new McapStreamReader({ validateCrcs: true });
const seen = { messages: 0, chunks: 0, records: {} };
for (let offset = 0; offset < size; ) {
  const bytes = new Uint8Array(Math.min(65536, size - offset));
  await file.read(bytes, 0, bytes.length, offset);
  offset += bytes.length;
  stream.append(bytes);
  for (let record; (record = stream.nextRecord()); ) seen.records[record.type] = (seen.records[record.type] ?? 0) + 1;
}
if (!stream.done()) throw new Error("the file does not end with its footer");

process.stdout.write(lines.join("\n") + "\n" + JSON.stringify({
  library: reader.header.library,
  profile: reader.header.profile,
  chunks: reader.chunkIndexes.length,
  statistics: {
    messages: Number(reader.statistics.messageCount), chunks: reader.statistics.chunkCount, channels: reader.statistics.channelCount,
    start: String(reader.statistics.messageStartTime), end: String(reader.statistics.messageEndTime),
    each: Object.fromEntries([...reader.statistics.channelMessageCounts].map(([id, count]) => [reader.channelsById.get(id).topic, Number(count)])),
  },
  metadata: Object.fromEntries([...reader.channelsById.values()].map((c) => [c.topic, Object.fromEntries(c.metadata)])),
  streamed: seen.records,
}) + "\n");
