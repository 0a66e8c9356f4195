package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Schedule is a time of day, in UTC, at which something runs every day.
type Schedule struct{ minute int }

// ParseSchedule reads a time of day (03:15), or the same as five cron fields (15 3 * * *). Any
// other rhythm is refused: what is promised, and kept, is one copy a day.
func ParseSchedule(s string) (Schedule, error) {
	if m, ok := minutes(s); ok {
		return Schedule{m}, nil
	}
	f := strings.Fields(s)
	if len(f) != 5 || f[2] != "*" || f[3] != "*" || f[4] != "*" {
		return Schedule{}, errors.New("want HH:MM or five cron fields of which the last three are *")
	}
	minute, err1 := strconv.ParseUint(f[0], 10, 8)
	hour, err2 := strconv.ParseUint(f[1], 10, 8)
	if err1 != nil || err2 != nil || minute > 59 || hour > 23 {
		return Schedule{}, errors.New("want a minute from 0 to 59 and an hour from 0 to 23 as the first two cron fields")
	}
	return Schedule{int(hour)*60 + int(minute)}, nil
}

// Time is the time of day as HH:MM.
func (s Schedule) Time() string { return fmt.Sprintf("%02d:%02d", s.minute/60, s.minute%60) }

// Cron is the schedule as five cron fields.
func (s Schedule) Cron() string { return fmt.Sprintf("%d %d * * *", s.minute%60, s.minute/60) }

// AWS is the schedule as the six fields inside an AWS cron(…) expression.
func (s Schedule) AWS() string { return fmt.Sprintf("%d %d * * ? *", s.minute%60, s.minute/60) }

// OnCalendar is the schedule as a systemd timer writes it.
func (s Schedule) OnCalendar() string { return "*-*-* " + s.Time() + ":00 UTC" }

// Daily is the backup schedule, parsed. The configuration was validated, so it always is one.
func (b Backups) Daily() Schedule {
	s, _ := ParseSchedule(b.Schedule)
	return s
}
