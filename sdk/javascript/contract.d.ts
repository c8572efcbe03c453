// Made from wit/v1/formatter.wit by contract_types.js.

/**
 * ---- The four functions ----
 * What this formatter is. Called when the component is loaded.
 */
export function describe(): Description;
/**
 * Check the settings (a JSON object) and say what a request looks like. Called first on each fresh instance.
 * `destination` is an opaque name, the same for as long as the destination exists.
 */
export function configure(settings: string, destination: string): RequestProfile;
/**
 * Turn events into records. An error refuses the batch as a whole; prefer to reject single events.
 */
export function format(events: Array<Event>): Records;
/**
 * Read an answer. Return `standard` when there is nothing to add to its status.
 */
export function interpret(response: Response): Verdict;
/**
 * ---- Events: what the host hands over ----
 * How serious an event is. The order is the rank.
 * # Variants
 *
 * ## `"informational"`
 *
 * ## `"low"`
 *
 * ## `"medium"`
 *
 * ## `"high"`
 *
 * ## `"critical"`
 */
export type Severity = 'informational' | 'low' | 'medium' | 'high' | 'critical';
/**
 * One security event, validated and redacted.
 *
 * The envelope (every field but `document`) is authoritative: a formatter that only wraps need not parse
 * `document`.
 */
export interface Event {
  /**
   * The identity of the event: 32 lowercase hexadecimal digits. The same event has the same key on every
   * redelivery and replay; use it wherever the SIEM can deduplicate (`_id`, `dedup_key`, `webhook-id`).
   */
  key: string,
  /**
   * The producer's own identifier. It may repeat, and it is empty when the producer gave none.
   */
  id: string,
  /**
   * What happened, in the producer's words: `dlp.pii_blocked`, `tool_call.completed`.
   */
  eventType: string,
  /**
   * When it happened: RFC 3339 in UTC, with a trailing `Z`. The time of receipt when the producer gave none.
   */
  timestamp: string,
  /**
   * `timestamp` in nanoseconds since 1970-01-01T00:00:00Z.
   */
  timestampNs: bigint,
  /**
   * When the host accepted the event, in nanoseconds since 1970-01-01T00:00:00Z.
   */
  receivedNs: bigint,
  severity: Severity,
  /**
   * The name of the source that the operator configured.
   */
  source: string,
  /**
   * The name of the profile that understood the event: `aisg`, `aegis`, `generic`.
   */
  producer: string,
  /**
   * The organisation that the event belongs to.
   */
  organization: string,
  /**
   * The project within the organisation, where the producer names one.
   */
  project?: string,
  /**
   * The whole event after redaction: one JSON object on one line, at most 256 KiB, nested at most 64 deep.
   */
  document: string,
}
/**
 * One way to authenticate, by the name of the host's scheme.
 */
export interface AuthenticationHint {
  /**
   * `header`, `bearer`, `basic`, `oauth2-client-credentials`, or another scheme of the host.
   */
  scheme: string,
  /**
   * The scheme's non-secret parameters as a JSON object: `{"header":"Authorization","prefix":"Splunk "}`.
   */
  parameters: string,
}
/**
 * ---- describe: what this formatter is ----
 * What people and forms need to know. Everything in it is shown as the plugin's words: at most 1 KiB a text,
 * control characters removed.
 */
export interface Description {
  /**
   * The formatter's name: lowercase letters, digits and hyphens.
   */
  name: string,
  /**
   * The formatter's own version, as in Semantic Versioning.
   */
  version: string,
  vendor: string,
  /**
   * The name of the SIEM, for people: "Splunk HTTP Event Collector".
   */
  title: string,
  /**
   * One sentence about what arrives where.
   */
  summary: string,
  /**
   * A JSON Schema (2020-12) of the settings, with a description for each; at most 64 KiB, local `$ref` only.
   */
  settingsSchema: string,
  /**
   * Settings that `configure` accepts, as a JSON object. Also the settings that the laws are checked with.
   */
  settingsExample: string,
  /**
   * An endpoint as the operator would write it: `https://splunk.example.com:8088`.
   */
  endpointExample: string,
  /**
   * What the SIEM calls its secret: "HEC token", "API key".
   */
  secretName: string,
  /**
   * How the SIEM authenticates requests, the usual way first. The operator decides; these fill the form in.
   */
  authentication: Array<AuthenticationHint>,
}
/**
 * ---- configure: what a request looks like ----
 * A setting that cannot be used.
 */
export interface SettingProblem {
  /**
   * A JSON Pointer into the settings: `/index`. Empty for the settings as a whole.
   */
  pointer: string,
  /**
   * What is wrong and what to write instead.
   */
  message: string,
}
/**
 * What stands before, between and after the records of a body.
 */
export interface Enclosure {
  prefix: Uint8Array,
  separator: Uint8Array,
  suffix: Uint8Array,
}
/**
 * How the host joins records into a body.
 */
export type Framing = FramingJsonArray | FramingNewline | FramingConcatenated | FramingOnePerRequest | FramingEnclosed;
/**
 * `[` records separated by commas `]`. Each record is one JSON value.
 */
export interface FramingJsonArray {
  tag: 'json-array',
}
/**
 * Each record followed by a newline. No record holds a raw newline.
 */
export interface FramingNewline {
  tag: 'newline',
}
/**
 * Records one after the other, nothing between them.
 */
export interface FramingConcatenated {
  tag: 'concatenated',
}
/**
 * A request for each record.
 */
export interface FramingOnePerRequest {
  tag: 'one-per-request',
}
export interface FramingEnclosed {
  tag: 'enclosed',
  val: Enclosure,
}
/**
 * The most that one request may hold, counted before compression and with the framing. All at least 1.
 */
export interface Limits {
  records: number,
  bodyBytes: number,
  /**
   * A larger record is dead-lettered, not sent.
   */
  recordBytes: number,
}
/**
 * # Variants
 *
 * ## `"gzip"`
 *
 * ## `"zstd"`
 *
 * ## `"deflate"`
 */
export type Compression = 'gzip' | 'zstd' | 'deflate';
/**
 * # Variants
 *
 * ## `"post"`
 *
 * ## `"put"`
 */
export type Method = 'post' | 'put';
/**
 * What the SIEM does with an event older than it takes.
 * # Variants
 *
 * ## `"dropped"`
 *
 * It answers with success and stores nothing: the host dead-letters such an event instead of sending it.
 * ## `"retimed"`
 *
 * It stores the event with another time: the host sends it.
 */
export type TooOld = 'dropped' | 'retimed';
/**
 * How old an event the SIEM still takes.
 */
export interface ReplayWindow {
  maxAgeS: bigint,
  effect: TooOld,
}
/**
 * A request that shows whether endpoint and credentials work and stores nothing.
 */
export interface Probe {
  /**
   * GET when true, else the profile's method.
   */
  get: boolean,
  path: string,
  query: Array<[string, string]>,
  body: Uint8Array,
}
/**
 * The request that this formatter wants made. It asks; the operator grants: the host shows the request before it
 * first uses it, stores what was granted, and uses only that.
 */
export interface RequestProfile {
  method: Method,
  /**
   * Absolute, below the path of the operator's endpoint (appended, not repeated when it is already there). No
   * empty, `.` or `..` segment and no encoded slash. `{organization}`, `{project}` and `{producer}` are replaced,
   * and events are grouped by them. The host does all encoding: write plain text.
   */
  path: string,
  /**
   * Query pairs, not encoded.
   */
  query: Array<[string, string]>,
  contentType: string,
  /**
   * Non-secret headers; their values may hold the same three placeholders. Refused: `Host`, `Authorization`,
   * `Cookie`, `Proxy-*`, hop-by-hop headers, `Content-Length`, `Content-Encoding`, `Accept-Encoding`, and
   * whatever header the destination's authentication uses.
   */
  headers: Array<[string, string]>,
  /**
   * Where the requests of a `pending` verdict go.
   */
  followUpPath?: string,
  /**
   * Keep the cookies of an answer for its follow-ups.
   */
  sticky: boolean,
  framing: Framing,
  limits: Limits,
  /**
   * What the SIEM decompresses, the best first. Empty: send plain.
   */
  compression: Array<Compression>,
  probe?: Probe,
  replayWindow?: ReplayWindow,
}
/**
 * ---- format: what is sent ----
 * An event that cannot be formatted.
 */
export interface Rejection {
  /**
   * Its place in the list of events, from 0.
   */
  index: number,
  /**
   * Why, for the operator.
   */
  reason: string,
}
/**
 * One record for each event, in one buffer.
 */
export interface Records {
  /**
   * The records one after the other.
   */
  data: Uint8Array,
  /**
   * Where each record ends in `data`: one number for each event, in their order, never decreasing. A record
   * begins where the one before it ends.
   */
  ends: Uint32Array,
  /**
   * The events without a record: theirs is empty in `ends`. An empty record that is not listed here is a fault.
   */
  rejected: Array<Rejection>,
}
/**
 * ---- interpret: what came back ----
 * Whether an answer is to the request with the records or to a follow-up.
 * # Variants
 *
 * ## `"first"`
 *
 * ## `"follow-up"`
 */
export type Phase = 'first' | 'follow-up';
/**
 * A whole answer of the SIEM. Secrets in it have been replaced by `[secret]`.
 */
export interface Response {
  phase: Phase,
  /**
   * What the last `pending` verdict left. Empty in the first phase.
   */
  state: Uint8Array,
  status: number,
  /**
   * Names in lowercase, in the order received.
   */
  headers: Array<[string, string]>,
  /**
   * Decompressed; at most 4 MiB.
   */
  body: Uint8Array,
  /**
   * The body was longer and was cut.
   */
  truncated: boolean,
  /**
   * How many records the request held.
   */
  records: number,
  /**
   * How long its body was before compression.
   */
  bodyBytes: number,
}
/**
 * Something that the operator should know.
 */
export interface Note {
  /**
   * What was seen: "HEC queue is close to full".
   */
  reason: string,
  /**
   * What to do about it.
   */
  hint: string,
  /**
   * Send nothing for so long.
   */
  pauseMs?: bigint,
}
/**
 * What became of one record.
 */
export type Fate = FateDelivered | FateDuplicate | FateRetry | FateRejected;
export interface FateDelivered {
  tag: 'delivered',
}
/**
 * The SIEM had it already; counts as delivered.
 */
export interface FateDuplicate {
  tag: 'duplicate',
}
/**
 * Send it again.
 */
export interface FateRetry {
  tag: 'retry',
}
/**
 * The SIEM will never take it, with the reason: it is dead-lettered.
 */
export interface FateRejected {
  tag: 'rejected',
  val: string,
}
/**
 * Neighbouring records with the same fate.
 */
export interface Run {
  first: number,
  count: number,
  fate: Fate,
}
/**
 * An answer that differs from record to record.
 */
export interface Partial {
  /**
   * In order, without overlaps.
   */
  runs: Array<Run>,
  /**
   * The fate of the records outside all runs.
   */
  rest: Fate,
  note?: Note,
}
export interface Retry {
  /**
   * How long to wait. None: the host's backoff.
   */
  afterMs?: bigint,
  reason: string,
}
/**
 * Why a request was refused, and what the operator can do about it.
 */
export interface Refusal {
  reason: string,
  hint: string,
}
export interface Uncertain {
  /**
   * How many records the SIEM did not take.
   */
  lost: number,
  reason: string,
}
/**
 * Ask again later: for a SIEM that confirms after it has answered.
 */
export interface Pending {
  afterMs: bigint,
  query: Array<[string, string]>,
  /**
   * Sent with POST when not empty, else the request is a GET.
   */
  body: Uint8Array,
  /**
   * Handed back with the answer.
   */
  state: Uint8Array,
}
/**
 * What an answer means for the records of its request.
 */
export type Verdict = VerdictStandard | VerdictDelivered | VerdictPartial | VerdictRetry | VerdictSplit | VerdictHold | VerdictRejected | VerdictUncertain | VerdictPending;
/**
 * Judge by the status alone: 2xx delivered; 408, 429 and 5xx retry; 413 split; 401, 403, 404, 405, 406, 407,
 * 410, 415 and 3xx hold; other 4xx rejected. A 2xx whose body is a web page holds, too: something else answers.
 */
export interface VerdictStandard {
  tag: 'standard',
}
/**
 * Every record has arrived. Believed on a 2xx only.
 */
export interface VerdictDelivered {
  tag: 'delivered',
  val: Note | undefined,
}
export interface VerdictPartial {
  tag: 'partial',
  val: Partial,
}
/**
 * Send the whole batch again.
 */
export interface VerdictRetry {
  tag: 'retry',
  val: Retry,
}
/**
 * Too large: send it in halves.
 */
export interface VerdictSplit {
  tag: 'split',
}
/**
 * Every batch would fail: keep everything, tell the operator, try again slowly.
 */
export interface VerdictHold {
  tag: 'hold',
  val: Refusal,
}
/**
 * The batch will never be taken. Of more than one record, the host sends halves to find the culprit.
 */
export interface VerdictRejected {
  tag: 'rejected',
  val: Refusal,
}
/**
 * Some records are lost and the SIEM does not say which: the batch is dead-lettered with that cause.
 */
export interface VerdictUncertain {
  tag: 'uncertain',
  val: Uncertain,
}
/**
 * Make one more authenticated request to the follow-up path, then call `interpret` again. At most 60 times or
 * 10 minutes; then the batch is sent again. Believed on a 2xx only. Of the answer to a follow-up, `standard` asks
 * the same again after 2xx, 408, 429 and 5xx and holds after anything else: its status says nothing about the
 * records.
 */
export interface VerdictPending {
  tag: 'pending',
  val: Pending,
}
