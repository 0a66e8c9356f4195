// Package safety says what a planned change would destroy that nobody can rebuild, before anything of
// it runs: what would be lost, what in the change forces it, and how to mend it.
//
// Pulumi's protect and the clouds' own deletion protection refuse such a change too, one resource at a
// time and without saying why; and some changes that end in a refusal half-way (a disk that is to shrink)
// neither of them sees coming.
package safety

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim"
	"github.com/morphee-app/morphee-infra/internal/stateful"
)

// Options say what may go.
type Options struct {
	// Disposable stacks may lose what is not protected. What the state still has as protected may not
	// go even then: the protection is lifted first, by a change of its own.
	Disposable bool

	// Copied is morphee:migration.copy, "" where it is not known: the stack's own output is taken then.
	Copied string

	// Accept gives the reason why the deletion or replacement of a resource is accepted, or "". What the
	// state still has as protected may not go even then.
	Accept func(sim.ResourceChange) string
}

// Loss is one resource that would be lost, wholly or in part.
type Loss struct {
	URN, Type, Name string
	Op              string        // replace, delete, or update where the cloud would have to shrink it
	Kind            stateful.Kind // what is in it; "" when it is only protected
	Cause           Cause
	Accepted        string // the reason why it is accepted, or ""
	Protected       bool   // in the state, so that Pulumi refuses it
}

// Refused says whether the loss stops the change.
func (l Loss) Refused() bool { return l.Accepted == "" || l.Protected }

// Cause is what in the change forces a loss, and what to do instead. Losses of one cause share it.
type Cause struct {
	Text string // "region of the provider aws-regional changes from eu-west-1 to eu-central-1"
	Mend string
}

// Losses lists what the planned changes would destroy, by cause and name, those that are accepted too.
func Losses(planned *sim.Result, o Options) []Loss {
	p := plan{changes: map[string]sim.ResourceChange{}}
	for _, c := range planned.Resources {
		p.changes[c.URN] = c
	}
	var out []Loss
	for _, c := range planned.Resources {
		kind, held := holds(c)
		if !c.Protected && (!held || o.Disposable) {
			continue
		}
		loss := Loss{URN: c.URN, Type: c.Type, Name: c.Name, Op: c.Op, Kind: kind, Protected: c.Protected}
		switch c.Op {
		case "delete":
			loss.Cause = p.deleted(c)
		case "replace":
			loss.Cause = p.replaced(c)
		case "update":
			cause, shrinks := shrunk(c)
			if !shrinks {
				continue
			}
			loss.Cause = cause
		default:
			continue
		}
		out = append(out, loss)
	}
	out = append(out, p.unseen(planned.Errors, out)...)
	for i := range out {
		out[i].accept(o)
	}
	slices.SortFunc(out, func(a, b Loss) int {
		return cmp.Or(cmp.Compare(a.Cause.Text, b.Cause.Text), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// accept asks whether the loss is accepted. Making a thing smaller cannot be: the cloud refuses it.
func (l *Loss) accept(o Options) {
	if o.Accept == nil || l.Op != "delete" && l.Op != "replace" {
		return
	}
	l.Accepted = o.Accept(sim.ResourceChange{URN: l.URN, Type: l.Type, Name: l.Name, Op: l.Op})
	if l.Accepted != "" && l.Protected {
		l.Cause = Cause{
			Text: fmt.Sprintf("its loss is accepted (%s), but it is still protected in the state, and Pulumi deletes nothing that is", l.Accepted),
			Mend: "lift the protection by a change of its own first (of a region or of the server: state retiring comes before retired), then make this change",
		}
	}
}

// foundation is what other things stand in, and cannot be taken out from under them.
const foundation = stateful.Kind("everything that stands in it")

func holds(c sim.ResourceChange) (stateful.Kind, bool) {
	if c.Type == "aws:ec2/vpc:Vpc" {
		return foundation, true
	}
	kind, ok := stateful.Of(c.Type)
	return kind, ok && stateful.Resource(c.Type, c.Before) && !stateful.Rewritten(c.Type, c.Name)
}

// protection is how the engine refuses what is protected. It may stop there, without a step to see.
var protection = regexp.MustCompile(`(?s)resource "(urn:pulumi:[^"]+)".*(?:protect)`)

// unseen are losses that only an error of the engine tells of.
func (p plan) unseen(errors []string, seen []Loss) []Loss {
	var out []Loss
	for _, text := range errors {
		m := protection.FindStringSubmatch(text)
		if m == nil || slices.ContainsFunc(append(seen, out...), func(l Loss) bool { return l.URN == m[1] }) {
			continue
		}
		parts := strings.Split(m[1], "::")
		l := Loss{URN: m[1], Name: parts[len(parts)-1], Op: "delete", Cause: keep, Protected: true}
		if len(parts) > 2 {
			l.Type = parts[2][strings.LastIndex(parts[2], "$")+1:]
		}
		l.Kind, _ = stateful.Of(l.Type)
		if c, ok := p.changes[l.URN]; ok && c.Op == "replace" {
			l.Op, l.Cause = c.Op, p.replaced(c)
		}
		out = append(out, l)
	}
	return out
}

// Refusal is the error that explains losses.
type Refusal struct{ Losses []Loss }

// Guard refuses a plan that has losses, or that leaves out a step of the move to AWS. It is made for
// sim.Options.Guard.
func Guard(o Options) func(*sim.Result) error {
	return func(planned *sim.Result) error {
		lost, leap := Refuse(Losses(planned, o)), Leaps(planned, o)
		if leap == nil {
			return lost
		}
		return errors.Join(leap, lost)
	}
}

// Refuse is the error that explains the losses which stop a change; nil when there are none.
func Refuse(losses []Loss) error {
	losses = slices.DeleteFunc(slices.Clone(losses), func(l Loss) bool { return !l.Refused() })
	if len(losses) == 0 {
		return nil
	}
	return &Refusal{losses}
}

func (r *Refusal) Error() string {
	var parts []string
	for _, err := range r.Unwrap() {
		parts = append(parts, err.Error())
	}
	return strings.Join(parts, "\n")
}

// Unwrap is one error for each cause.
func (r *Refusal) Unwrap() []error {
	var out []error
	for i := 0; i < len(r.Losses); {
		j := i
		for j < len(r.Losses) && r.Losses[j].Cause == r.Losses[i].Cause {
			j++
		}
		out = append(out, explain(r.Losses[i:j]))
		i = j
	}
	return out
}

// explain is the error of one cause: what, why, how to mend.
func explain(losses []Loss) error {
	var b strings.Builder
	fmt.Fprintf(&b, "this change would destroy what nobody can rebuild, so nothing of it was begun\n  why:  %s\n  lost:", losses[0].Cause.Text)
	for i, l := range losses {
		if i > 0 {
			b.WriteString("\n       ")
		}
		b.WriteString(" " + l.String())
	}
	return fmt.Errorf("%s\n  mend: %s", b.String(), losses[0].Cause.Mend)
}

func (l Loss) String() string {
	what := map[stateful.Kind]string{
		stateful.Data: "the data in it", stateful.Key: "everything encrypted with it", stateful.Secret: "a value that others know by now",
		stateful.Address: "the address that others reach it by", stateful.Host: "the machine, with what runs on it", foundation: string(foundation),
	}[l.Kind]
	if what == "" {
		what = "it is protected"
	}
	how := map[string]string{"delete": "deleted", "replace": "deleted and made anew", "update": "made smaller"}[l.Op]
	return fmt.Sprintf("%s %s, %s: %s", l.Type, l.Name, how, what)
}
