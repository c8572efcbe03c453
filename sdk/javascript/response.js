// Short ways to read a SIEM's answer.

const MOST_CHARACTERS = 200;

export const isSuccess = (response) => response.status >= 200 && response.status < 300;

/** The value of a header by its lowercase name. */
export const header = (response, name) => response.headers.find(([key]) => key === name)?.[1];

/** The body as text, with U+FFFD for what is not UTF-8. */
export const text = (response) => new TextDecoder().decode(response.body);

/** The body as a JSON value; `undefined` when it is none. */
export function parsed(response) {
  try {
    return JSON.parse(text(response));
  } catch {
    return undefined;
  }
}

/** The status and the beginning of the body's words, on one line: `status 403: forbidden`. */
export function reason(response) {
  const words = [...text(response).trim()].slice(0, MOST_CHARACTERS).join('').replace(/[\x00-\x1f\x7f-\x9f]/g, ' ');
  return words === '' ? `status ${response.status}` : `status ${response.status}: ${words}`;
}
