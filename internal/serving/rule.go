package serving

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// matches says whether a Traefik rule fits the request: functions, combined with !, &&, || and brackets.
func matches(rule string, v *view) (bool, error) {
	p := &ruleParser{rest: rule, view: v}
	out := p.or()
	if p.err == nil && strings.TrimSpace(p.rest) != "" {
		p.err = fmt.Errorf("unexpected %q in %q", p.rest, rule)
	}
	return out, p.err
}

// ruleParser evaluates as it reads.
type ruleParser struct {
	rest string
	view *view
	err  error
}

func (p *ruleParser) take(token string) bool {
	p.rest = strings.TrimLeft(p.rest, " \t\n")
	if !strings.HasPrefix(p.rest, token) || p.err != nil {
		return false
	}
	p.rest = p.rest[len(token):]
	return true
}

func (p *ruleParser) or() bool {
	out := p.and()
	for p.take("||") {
		one := p.and()
		out = out || one
	}
	return out
}

func (p *ruleParser) and() bool {
	out := p.not()
	for p.take("&&") {
		one := p.not()
		out = out && one
	}
	return out
}

func (p *ruleParser) not() bool {
	switch {
	case p.take("!"):
		return !p.not()
	case p.take("("):
		out := p.or()
		if !p.take(")") && p.err == nil {
			p.err = fmt.Errorf("a bracket is not closed")
		}
		return out
	}
	return p.call()
}

var ruleCall = regexp.MustCompile("^([A-Za-z]+)\\(((?:\\s*`[^`]*`\\s*,?)+)\\)")

// call evaluates one function. A request here has no query.
func (p *ruleParser) call() bool {
	m := ruleCall.FindStringSubmatch(p.rest)
	if m == nil || p.err != nil {
		if p.err == nil {
			p.err = fmt.Errorf("%q is no function", p.rest)
		}
		return false
	}
	p.rest = p.rest[len(m[0]):]
	var args []string
	for i, part := range strings.Split(m[2], "`") {
		if i%2 == 1 {
			args = append(args, part)
		}
	}
	v := p.view
	switch m[1] {
	case "Host":
		return slices.ContainsFunc(args, func(a string) bool { return strings.EqualFold(a, v.host) })
	case "Method":
		return slices.Contains(args, v.method)
	case "Path":
		return slices.Contains(args, v.path)
	case "PathPrefix":
		return slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(v.path, a) })
	case "PathRegexp":
		return slices.ContainsFunc(args, func(a string) bool {
			pattern, err := regexp.Compile(a)
			if err != nil {
				p.err = fmt.Errorf("PathRegexp: %w", err)
				return false
			}
			return pattern.MatchString(v.path)
		})
	case "Query":
		return false
	}
	p.err = fmt.Errorf("the function %s is not known here", m[1])
	return false
}
