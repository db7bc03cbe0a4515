import { DateTime, Interval } from "luxon";

const TIME = "yyyy-MM-dd HH:mm";

/** For each meeting: its local time for everybody, how long it lasts, and its next dates in the organiser's zone. */
export default function planMeetings(input, context) {
  return {
    meetings: input.meetings.map((meeting) => {
      const start = DateTime.fromISO(meeting.start, { zone: meeting.zone });
      if (!start.isValid) throw new RangeError(`${meeting.title}: ${start.invalidExplanation}`);
      const end = start.plus(meeting.duration);
      const step = { [meeting.every]: 1 };
      return {
        title: meeting.title,
        utc: start.toUTC().toISO(),
        minutes: Interval.fromDateTimes(start, end).length("minutes"),
        local: Object.fromEntries(
          input.participants.map(({ name, zone }) => [name, start.setZone(zone).toFormat(TIME)]),
        ),
        next: Array.from({ length: meeting.times }, (_, n) =>
          start.plus({ [meeting.every]: n + 1 }).toISO(),
        ),
        week: start.weekNumber,
        step,
      };
    }),
  };
}
