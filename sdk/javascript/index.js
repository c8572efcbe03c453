// Write a Siemaphore formatter in JavaScript. README.md says how; contract.d.ts has the contract's own types.
export { exportFormatter, Rejected } from './formatter.js';
export { json, raw } from './json.js';
export { getProbe, postJson } from './profile.js';
export { header, isSuccess, parsed, reason, text } from './response.js';
export { Refused } from './settings.js';
export * as verdict from './verdict.js';
