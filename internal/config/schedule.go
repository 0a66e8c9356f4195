package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Schedule is when something runs, in UTC.
type Schedule struct {
	fields [5]string // minute, hour, day of month, month, day of week
}

// ParseSchedule reads a time of day (03:15) or five cron fields (15 3 * * *). It takes only
// schedules that run at least once every day.
func ParseSchedule(s string) (Schedule, error) {
	if m, ok := minutes(s); ok {
		return Schedule{[5]string{strconv.Itoa(m % 60), strconv.Itoa(m / 60), "*", "*", "*"}}, nil
	}
	parts := strings.Fields(s)
	if len(parts) != 5 {
		return Schedule{}, errors.New("want HH:MM or five cron fields")
	}
	if parts[2] != "*" || parts[3] != "*" || parts[4] != "*" {
		return Schedule{}, errors.New("the last three cron fields must be *, so that it runs every day")
	}
	for i, high := range []int{59, 23} {
		if !cronField(parts[i], high) {
			return Schedule{}, fmt.Errorf("cron field %q: want numbers from 0 to %d, with commas, or every nth as */n", parts[i], high)
		}
	}
	return Schedule{[5]string(parts)}, nil
}

func cronField(s string, high int) bool {
	if s == "*" {
		return true
	}
	if n, ok := strings.CutPrefix(s, "*/"); ok {
		v, err := strconv.Atoi(n)
		return err == nil && v > 0 && v <= high && strconv.Itoa(v) == n
	}
	for _, part := range strings.Split(s, ",") {
		v, err := strconv.Atoi(part)
		if err != nil || v < 0 || v > high || strings.HasPrefix(part, "+") {
			return false
		}
	}
	return true
}

// Cron is the schedule as five cron fields.
func (s Schedule) Cron() string { return strings.Join(s.fields[:], " ") }

// AWS is the schedule as an expression of EventBridge and AWS Backup.
func (s Schedule) AWS() string { return fmt.Sprintf("cron(%s %s * * ? *)", s.fields[0], s.fields[1]) }

// OnCalendar is the schedule as a systemd timer writes it.
func (s Schedule) OnCalendar() string {
	return fmt.Sprintf("*-*-* %s:%s:00 UTC", systemdField(s.fields[1]), systemdField(s.fields[0]))
}

func systemdField(f string) string {
	if n, ok := strings.CutPrefix(f, "*/"); ok {
		return "00/" + n
	}
	parts := strings.Split(f, ",")
	for i, p := range parts {
		if len(p) == 1 && p != "*" {
			parts[i] = "0" + p
		}
	}
	return strings.Join(parts, ",")
}

// At is the minute of the day at which a schedule with one time runs.
func (s Schedule) At() (minute int, ok bool) {
	m, err1 := strconv.Atoi(s.fields[0])
	h, err2 := strconv.Atoi(s.fields[1])
	return h*60 + m, err1 == nil && err2 == nil
}

// Times is the backup schedule, parsed. The configuration was validated, so it always is one.
func (b Backups) Times() Schedule {
	s, _ := ParseSchedule(b.Schedule)
	return s
}
