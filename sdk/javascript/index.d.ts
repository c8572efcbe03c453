import type {
  Event, Fate, Framing, Limits, Note, Probe, RequestProfile, Response, Run, SettingProblem, Verdict,
} from './contract.d.ts';

export type * from './contract.d.ts';

/** What people and forms need to know about a formatter. */
export interface Product {
  /** Lowercase letters, digits and hyphens. */
  name: string;
  version: string;
  vendor: string;
  /** The name of the SIEM, for people. */
  title: string;
  /** One sentence about what arrives where. */
  summary: string;
  /** The `properties` and `required` of a JSON Schema. */
  settings: { properties?: Record<string, object>; required?: string[]; [word: string]: unknown };
  /** Settings that `configure` accepts. The laws are checked with them. */
  settingsExample: object;
  endpointExample: string;
  /** What the SIEM calls its secret. */
  secretName: string;
  /** The usual way first: the name of the host's scheme, and its non-secret parameters beside it. */
  authentication: { scheme: string; [parameter: string]: unknown }[];
}

/** What `configure` returns: the request, and what formats and interprets with these settings. */
export interface Configured {
  profile: RequestProfile;
  /** The record of one event. Throw `Rejected` for an event that can have none. */
  format(event: Event): string | Uint8Array;
  /** What an answer means. Left out, the host judges by the status. */
  interpret?(response: Response): Verdict;
}

/** The contract's four functions. */
export interface Exported {
  describe(): import('./contract.d.ts').Description;
  configure(settings: string, destination: string): RequestProfile;
  format(events: Event[]): import('./contract.d.ts').Records;
  interpret(response: Response): Verdict;
}

/** `settings` fit the product's schema, with its defaults filled in. Throw `Refused` for what the schema cannot say. */
export function exportFormatter(
  product: Product,
  configure: (settings: any, destination: string) => Configured,
): Exported;

/** Thrown by `format`: the SIEM could never take this event. It is dead-lettered with that reason. */
export class Rejected extends Error {}

/** Thrown by `configure`: settings that cannot be used. */
export class Refused extends Error {
  constructor(...problems: SettingProblem[]);
  payload: SettingProblem[];
}

/** One JSON object on one line. Members that are `undefined` are left out; a member may be `raw`. */
export function json(members: Record<string, unknown>): string;
/** JSON text that is written as it stands, such as an event's document: neither parsed nor changed. */
export function raw(text: string): object;

/** POST of gzip-compressed JSON: what most SIEMs take. `more` sets or replaces members. */
export function postJson(
  path: string,
  framing: Framing | Exclude<Framing['tag'], 'enclosed'>,
  limits: Limits,
  more?: { [Member in keyof RequestProfile]?: RequestProfile[Member] },
): RequestProfile;
/** A probe that is a GET without a body. */
export function getProbe(path: string): Probe;

export function isSuccess(response: Response): boolean;
/** The value of a header by its lowercase name. */
export function header(response: Response, name: string): string | undefined;
/** The body as text, with U+FFFD for what is not UTF-8. */
export function text(response: Response): string;
/** The body as a JSON value; `undefined` when it is none. */
export function parsed(response: Response): any;
/** The status and the beginning of the body's words, on one line. */
export function reason(response: Response): string;

export namespace verdict {
  function standard(): Verdict;
  function delivered(): Verdict;
  function deliveredBut(reason: string, hint: string, pauseMs?: number): Verdict;
  function retry(reason: string, afterMs?: number): Verdict;
  function split(): Verdict;
  function hold(reason: string, hint: string): Verdict;
  function rejected(reason: string, hint: string): Verdict;
  function uncertain(lost: number, reason: string): Verdict;
  function rejectedAt(refusals: { index: number; reason: string }[]): Verdict;
  function partial(runs: Run[], rest: Fate, note?: Note): Verdict;
  function pending(
    afterMs: number,
    more?: { query?: Record<string, string>; body?: string | Uint8Array; state?: unknown },
  ): Verdict;
  function remembered(response: Response): any;
}
