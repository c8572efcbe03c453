import type { Event, Exported, RequestProfile, Response, Verdict } from './index.d.ts';

export type Formatted = { record: string; rejected?: undefined } | { rejected: string; record?: undefined };

export interface Testable {
  profile: RequestProfile;
  /** The record of each event as text, or why it was rejected. */
  records(events: Event[]): Formatted[];
  /** The record of one event that must not be rejected. */
  record(event: Event): string;
  interpret(response: Response): Verdict;
}

export function event(document: unknown, envelope?: { [K in keyof Event]?: Event[K] }): Event;
export function answer(status: number, body?: unknown, more?: { [K in keyof Response]?: Response[K] }): Response;
export function followUp(
  pending: Verdict,
  status: number,
  body?: unknown,
  more?: { [K in keyof Response]?: Response[K] },
): Response;
export function configure(formatter: Exported, settings?: object, destination?: string): Testable;
export function checkLaws(formatter: Exported, events: Event[]): void;
