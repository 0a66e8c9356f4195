package aws

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	rateForm = regexp.MustCompile(`^rate\(([0-9]+) (minute|minutes|hour|hours|day|days)\)$`)
	atForm   = regexp.MustCompile(`^at\([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\)$`)
)

// scheduleProblem tells what is wrong with a rate(…), cron(…) or at(…) expression, or "".
func scheduleProblem(e string) string {
	switch {
	case strings.HasPrefix(e, "rate("):
		m := rateForm.FindStringSubmatch(e)
		if m == nil {
			return fmt.Sprintf("%q is no rate(value unit) with unit minutes, hours or days", e)
		}
		if n, _ := strconv.Atoi(m[1]); n < 1 || (n == 1) == strings.HasSuffix(m[2], "s") {
			return fmt.Sprintf("%q: a rate is at least 1, and its unit singular for 1, plural above", e)
		}
		return ""
	case strings.HasPrefix(e, "at("):
		if !atForm.MatchString(e) {
			return fmt.Sprintf("%q is no at(yyyy-mm-ddThh:mm:ss)", e)
		}
		return ""
	case strings.HasPrefix(e, "cron(") && strings.HasSuffix(e, ")"):
		return cronProblem(e[5 : len(e)-1])
	}
	return fmt.Sprintf("%q is no cron(…), rate(…) or at(…) expression", e)
}

var cronFields = []struct {
	name      string
	low, high int
	names     string
}{
	{"minutes", 0, 59, ""}, {"hours", 0, 23, ""}, {"day of month", 1, 31, ""},
	{"month", 1, 12, "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"},
	{"day of week", 1, 7, "SUN MON TUE WED THU FRI SAT"}, {"year", 1970, 2199, ""},
}

// cronProblem checks AWS's six fields. Exactly one of the two day fields must be "?".
func cronProblem(e string) string {
	fields := strings.Fields(e)
	if len(fields) != 6 {
		return fmt.Sprintf("cron(%s): six fields are required (minutes hours day-of-month month day-of-week year), got %d", e, len(fields))
	}
	if (fields[2] == "?") == (fields[4] == "?") {
		return fmt.Sprintf("cron(%s): one of day-of-month and day-of-week must be ?, and only one", e)
	}
	for i, f := range fields {
		for _, part := range strings.Split(f, ",") {
			if why := cronPartProblem(i, part); why != "" {
				return fmt.Sprintf("cron(%s): %s: %s", e, cronFields[i].name, why)
			}
		}
	}
	return ""
}

func cronPartProblem(i int, part string) string {
	def := cronFields[i]
	if part == "?" && (i == 2 || i == 4) {
		return ""
	}
	if i == 2 && (part == "L" || part == "LW" || strings.HasSuffix(part, "W")) {
		return ""
	}
	if i == 4 && (part == "L" || strings.HasSuffix(part, "L")) {
		return ""
	}
	if i == 4 {
		part, _, _ = strings.Cut(part, "#")
	}
	part, step, stepped := strings.Cut(part, "/")
	if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1) {
		return fmt.Sprintf("bad step %q", step)
	}
	if part == "*" {
		return ""
	}
	low, high, ranged := strings.Cut(part, "-")
	if !ranged {
		high = low
	}
	a, okA := cronNumber(def.names, def.low, low)
	b, okB := cronNumber(def.names, def.low, high)
	if !okA || !okB || a < def.low || b > def.high || a > b && i != 4 {
		return fmt.Sprintf("%q is not in %d-%d", part, def.low, def.high)
	}
	return ""
}

func cronNumber(names string, low int, s string) (int, bool) {
	if n, err := strconv.Atoi(s); err == nil {
		return n, true
	}
	for i, n := range strings.Fields(names) {
		if strings.EqualFold(n, s) {
			return i + low, true
		}
	}
	return 0, false
}
