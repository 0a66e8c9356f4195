package sim

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrRefused is in the error of an operation that was not begun, because of what it would have done.
var ErrRefused = errors.New("refused, nothing was changed")

// consider previews an Up and asks the guard. The preview has a copy of the state and of the world to
// itself, without the faults, which are for what really runs. A preview that fails refuses as well.
func (s Store) consider(ctx context.Context, x *session, stack Stack, opts Options) (*Result, error) {
	start := time.Now()
	dry := &session{dir: x.dir}
	defer dry.forget()
	if err := dry.read(ctx, s); err != nil {
		return nil, err
	}
	guard := opts.Guard
	opts.Guard, opts.Faults, opts.Out, opts.Observe, opts.Look = nil, nil, nil, nil, nil
	planned, failed := dry.run(ctx, Preview, stack, opts)
	if planned == nil {
		return nil, failed
	}
	reason := planned.judge(guard, failed)
	if reason == nil {
		return nil, nil
	}
	r := (&observed{}).result(Up, stack, nil)
	r.Refused, r.Policies, r.Warnings, r.Errors = true, planned.Policies, planned.Warnings, planned.Errors
	r.Outputs, r.DurationMs = outputs(x.snapshot), time.Since(start).Milliseconds()
	return r, fmt.Errorf("%w: %w", ErrRefused, reason)
}

// judge asks the guard about a preview. What the engine says of the same plan (that something is
// protected) is explained by what the guard says, and left out.
func (r *Result) judge(guard func(*Result) error, failed error) error {
	reason := guard(r)
	if reason == nil {
		return failed
	}
	r.Errors = lines(reason)
	return reason
}

// inspect asks about what an up has done, which may have failed for other reasons too.
func (r *Result) inspect(look func(*Result) error, failed error) error {
	reason := look(r)
	if reason != nil {
		r.Errors = append(r.Errors, lines(reason)...)
	}
	return errors.Join(failed, reason)
}

// lines are the joined errors one by one.
func lines(err error) []string {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var out []string
		for _, one := range many.Unwrap() {
			out = append(out, one.Error())
		}
		return out
	}
	return []string{err.Error()}
}
