package rule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/morphee-app/morphee-infra/internal/leaving"
)

// Options are the circumstances of an evaluation.
type Options struct {
	Project, Stack string
	// Config is the stack's configuration by full key, such as "morphee:phase".
	Config map[string]string
	// SecretKeys are the keys of Config whose value is secret.
	SecretKeys []string
	// Preview says that values may be unknown.
	Preview bool
	// Partial says that the resources are not the whole stack, because an operation failed half-way: the
	// rules for the whole stack are not asked then.
	Partial bool
	// Now decides which exceptions are over; zero ends none.
	Now time.Time
	// MonthlyUSD is what the stack costs a month by the cost report; nil without one.
	MonthlyUSD *float64
	// Exceptions that hold besides those in Config.
	Exceptions []Exception
	// Settings by rule and name, and Levels by rule, from the policy configuration.
	Settings map[string]map[string]any
	Levels   map[string]Level

	leaving leaving.Set
}

// Value is one key of the project's configuration.
func (o *Options) Value(key string) string { return o.Config["morphee:"+key] }

// Nested is a value inside an object of the configuration, such as "forgejo", "sshPort".
func (o *Options) Nested(key, path string) Value { return Of(o.Value(key)).JSON().At(path) }

// Disposable says that this is a throw-away stack, whose data nobody would miss.
func (o *Options) Disposable() bool { return o.Value("disposable") == "true" }

// Leaving says that the resource of that logical name needs no protection and no backups: the stack is
// a throw-away one, or its configuration gives the resource up (see package leaving).
func (o *Options) Leaving(name string) bool { return o.Disposable() || o.leaving.Retiring(name) }

// Session runs one pack through one operation.
type Session struct {
	pack       Pack
	options    Options
	exceptions []Exception

	mu       sync.Mutex
	inputs   map[string]*Resource
	findings map[Finding]bool
	accepted map[Finding]*Exception // by the rule itself
	used     map[int]bool
	looked   map[string]map[string]bool // rule -> URNs
	byType   map[string][]*Rule
}

// NewSession begins. It fails when the exceptions in the configuration cannot be read.
func NewSession(pack Pack, options Options) (*Session, error) {
	list, err := options.exceptions()
	if err != nil {
		return nil, err
	}
	options.leaving = leaving.New(options.Config)
	return &Session{
		pack: pack, options: options, exceptions: list, accepted: map[Finding]*Exception{},
		inputs: map[string]*Resource{}, findings: map[Finding]bool{}, used: map[int]bool{}, looked: map[string]map[string]bool{}, byType: map[string][]*Rule{},
	}, nil
}

// Pack is the pack of the session.
func (s *Session) Pack() Pack { return s.pack }

// Configure sets levels and settings; what is not in the maps stays.
func (s *Session) Configure(levels map[string]Level, settings map[string]map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.options.Levels == nil {
		s.options.Levels = map[string]Level{}
	}
	if s.options.Settings == nil {
		s.options.Settings = map[string]map[string]any{}
	}
	for id, l := range levels {
		s.options.Levels[id] = l
	}
	for id, m := range settings {
		s.options.Settings[id] = m
	}
}

// Resource runs the rules for single resources. It may be called from several goroutines.
func (s *Session) Resource(r *Resource) []Finding {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inputs[r.URN] = r
	var out []Finding
	for _, rule := range s.rulesFor(r) {
		if s.level(rule) == Disabled {
			continue
		}
		s.look(rule.ID, r.URN)
		rule.Check(&Check{context: s.context(rule, &out), Resource: r})
	}
	return s.settle(out)
}

// rulesFor are the rules that look at resources of the type.
func (s *Session) rulesFor(r *Resource) []*Rule {
	list, known := s.byType[r.Type]
	if known {
		return list
	}
	for i := range s.pack.Rules {
		if rule := &s.pack.Rules[i]; rule.Check != nil && rule.appliesTo(r) {
			list = append(list, rule)
		}
	}
	s.byType[r.Type] = list
	return list
}

func (r *Rule) appliesTo(res *Resource) bool {
	if len(r.Types) == 0 {
		return res.real() || strings.HasPrefix(res.Type, "pulumi:providers:")
	}
	return slices.Contains(r.Types, res.Type)
}

// Stack runs the rules for the whole stack. Inputs that Resource has seen are added to resources
// that come without.
func (s *Session) Stack(list []*Resource) []Finding {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range list {
		if seen := s.inputs[r.URN]; seen != nil && r.Inputs == nil {
			r.Inputs = seen.Inputs
		}
	}
	return s.graphs(NewIndex(list))
}

// stackOf is Stack for an index that several packs share; the resources have their inputs.
func (s *Session) stackOf(x *Index) []Finding {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.graphs(x)
}

func (s *Session) graphs(x *Index) []Finding {
	var out []Finding
	for i := range s.pack.Rules {
		if rule := &s.pack.Rules[i]; rule.Graph != nil && s.level(rule) != Disabled {
			rule.Graph(&Graph{context: s.context(rule, &out), Index: x})
		}
	}
	return s.settle(out)
}

func (s *Session) look(rule, urn string) {
	if s.looked[rule] == nil {
		s.looked[rule] = map[string]bool{}
	}
	s.looked[rule][urn] = true
}

func (s *Session) level(r *Rule) Level {
	if l, ok := s.options.Levels[r.ID]; ok {
		return l
	}
	if l, ok := s.options.Levels["all"]; ok && l == Disabled {
		return l
	}
	return r.Level
}

func (s *Session) context(r *Rule, out *[]Finding) context {
	return context{rule: r, options: &s.options, emit: func(urn string, a Answer, message string, e *Exception) {
		s.look(r.ID, urn)
		if a != Pass {
			*out = append(*out, Finding{Pack: s.pack.Name, Rule: r.ID, Level: s.level(r), Answer: a, URN: urn, Message: message, Exception: e})
		}
	}}
}

// settle applies the exceptions, and keeps what is new for the report.
func (s *Session) settle(list []Finding) []Finding {
	var out []Finding
	for _, f := range list {
		key := f
		key.Exception = nil
		if f.Exception != nil {
			s.accepted[key] = f.Exception
		} else if f.Answer == Violation {
			s.except(&f)
		}
		if s.findings[key] {
			continue
		}
		s.findings[key] = true
		out = append(out, f)
	}
	sortFindings(out)
	return out
}

// except looks for an exception for a violation: the rule's own, or one that was configured.
func (s *Session) except(f *Finding) {
	if f.Exception = s.accepted[*f]; f.Exception != nil {
		return
	}
	for i, e := range s.exceptions {
		switch {
		case !e.covers(f.Rule, f.URN):
		case e.expired(s.options.Now):
			f.Message += fmt.Sprintf(" (the exception %q ended on %s)", e.Reason, e.Until)
		default:
			s.used[i] = true
			f.Exception = &s.exceptions[i]
			return
		}
	}
}

func sortFindings(list []Finding) {
	slices.SortFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Pack, b.Pack), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.URN, b.URN), cmp.Compare(a.Message, b.Message))
	})
}
