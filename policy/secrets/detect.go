package secrets

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// words splits a name at capitals, digits and signs, in lower case.
func words(name string) []string {
	var out []string
	var b strings.Builder
	end := func() {
		if b.Len() > 0 {
			out = append(out, b.String())
			b.Reset()
		}
	}
	before := ' '
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
			before = ' '
			continue
		case unicode.IsUpper(r) && unicode.IsLower(before):
			end()
		}
		b.WriteRune(unicode.ToLower(r))
		before = r
	}
	end()
	return out
}

var (
	secretWords = regexp.MustCompile(`(password|passwd|passphrase|secret|token|apikey|credential|credentials|dsn|privatekey|secretkey|htpasswd|pwd)$`)
	// keyOwners make a secret of the word key that follows them.
	keyOwners = regexp.MustCompile(`^(api|private|secret|encryption|encrypt|signing|sign|backup|jwt|auth|master|shared|session|hmac|webhook|license|deploy|access|account)$`)
)

// secretName says whether a name promises a secret. Its last words decide: PASSWORD does,
// PASSWORD_FILE and secretArn only say where one is.
func secretName(name string) bool {
	w := words(name)
	if len(w) == 0 {
		return false
	}
	last := w[len(w)-1]
	if secretWords.MatchString(last) {
		return !(last == "token" && len(w) > 1 && (slices.Contains([]string{"next", "client", "creation", "idempotency"}, w[len(w)-2])))
	}
	return last == "key" && len(w) > 1 && keyOwners.MatchString(w[len(w)-2])
}

var (
	reference = regexp.MustCompile(`^(arn:|/|\$\{|file:|env:|https?://[^@]*$|alias/|projects/|sha256:)`)
	harmless  = regexp.MustCompile(`^(?i:true|false|none|null|required|optional|enabled|disabled|managed|auto|[0-9]{1,5})$`)
)

// secretText says whether the value under a secret's name is one, not a reference to one.
func secretText(text string) bool {
	return len(text) > 3 && !reference.MatchString(text) && !harmless.MatchString(text)
}

// formats are secrets that can be told by their looks. The mark is a text that each of them has: most
// values are told apart by it without a regular expression being run.
var formats = []struct {
	name, mark string
	re         *regexp.Regexp
}{
	{"an AWS access key id", "AKIA", regexp.MustCompile(`\bAKIA[A-Z0-9]{16}\b`)},
	{"an AWS access key id", "ASIA", regexp.MustCompile(`\bASIA[A-Z0-9]{16}\b`)},
	{"a private key", "PRIVATE KEY", regexp.MustCompile(`-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----`)},
	{"a GitHub token", "gh", regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{30,}`)},
	{"a GitHub token", "github_pat_", regexp.MustCompile(`\bgithub_pat_[A-Za-z0-9_]{30,}`)},
	{"a GitLab token", "glpat-", regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{18,}`)},
	{"a Slack token", "xox", regexp.MustCompile(`\bxox[abposr]-[A-Za-z0-9-]{10,}`)},
	{"a Slack webhook", "hooks.slack.com", regexp.MustCompile(`hooks\.slack\.com/services/[A-Za-z0-9/]{20,}`)},
	{"a Stripe key", "k_", regexp.MustCompile(`\b[sr]k_(live|test)_[A-Za-z0-9]{16,}`)},
	{"a Google API key", "AIza", regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{35}`)},
	{"a JSON web token", "eyJ", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}`)},
	{"an age key", "AGE-SECRET-KEY-1", regexp.MustCompile(`AGE-SECRET-KEY-1[A-Z0-9]{20,}`)},
	{"a SendGrid key", "SG.", regexp.MustCompile(`\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}`)},
	{"a Pulumi token", "pul-", regexp.MustCompile(`\bpul-[a-f0-9]{40}\b`)},
	{"an address with a password", "@", regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^/\s:@"']*:[^@\s/"'$%{}<>*]{3,}@[A-Za-z0-9\[]`)},
}

// knownFormat names the kind of secret in a text; "" for none.
func knownFormat(text string) string {
	if len(text) < 12 {
		return ""
	}
	for _, f := range formats {
		if strings.Contains(text, f.mark) && f.re.MatchString(text) {
			return f.name
		}
	}
	return ""
}

// published are keys that are meant to be seen.
var published = regexp.MustCompile(`(?s)(ssh-[a-z0-9-]+|ecdsa-[a-z0-9-]+) [A-Za-z0-9+/=]+|-----BEGIN (CERTIFICATE|[A-Z ]*PUBLIC KEY)-----.*?-----END [A-Z ]+-----|sha(256|384|512)[:-][A-Za-z0-9+/=]+`)

const (
	shortest     = 20
	leastEntropy = 3.9
)

// random finds a stretch of a text that nobody would write by hand: long, of capitals, small letters
// and digits in no order. Names, paths, digests, ids and sentences are not.
func random(text string) (string, bool) {
	if len(text) < shortest {
		return "", false
	}
	for _, mark := range []string{"ssh-", "ecdsa-", "-----BEGIN", "sha256", "sha384", "sha512"} {
		if strings.Contains(text, mark) {
			text = published.ReplaceAllString(text, " ")
			break
		}
	}
	start := -1
	for i := 0; i <= len(text); i++ {
		if i < len(text) && (text[i] >= 'a' && text[i] <= 'z' || text[i] >= 'A' && text[i] <= 'Z' || text[i] >= '0' && text[i] <= '9' || text[i] == '+') {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 && i-start >= shortest {
			if run := text[start:i]; looksRandom(run) {
				return run, true
			}
		}
		start = -1
	}
	return "", false
}

func looksRandom(run string) bool {
	var count [128]int
	upper, lower, digits, changes := 0, 0, 0, 0
	kind := func(c byte) int {
		switch {
		case c >= 'A' && c <= 'Z':
			return 1
		case c >= 'a' && c <= 'z':
			return 2
		}
		return 3
	}
	for i := 0; i < len(run); i++ {
		c := run[i]
		count[c&127]++
		switch kind(c) {
		case 1:
			upper++
		case 2:
			lower++
		default:
			digits++
		}
		if i > 0 && kind(c) != kind(run[i-1]) {
			changes++
		}
	}
	if upper < 2 || lower < 2 || digits < 1 || changes*4 < len(run) {
		return false
	}
	entropy := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(run))
			entropy -= p * math.Log2(p)
		}
	}
	return entropy >= leastEntropy || entropy >= 0.9*math.Log2(float64(len(run)))
}
