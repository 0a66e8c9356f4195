package ladder

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/serving"
)

// drawing writes the timeline.
type drawing struct {
	strings.Builder
	before *Step // whose state there is at the beginning; nil is nothing
	steps  []Step
	ups    []float64 // where each step's deployment begins
	ends   []float64 // and ends
	high   float64
}

// Timeline is the steps as an SVG: who serves each name, what exists, and what went wrong, over time. It
// begins with the state after another step, or with nothing.
func Timeline(before *Step, steps []Step) template.HTML {
	d := &drawing{before: before, steps: steps, ends: make([]float64, len(steps)), ups: make([]float64, len(steps))}
	list := axis(steps)
	for _, p := range list {
		if p.kind == "up" {
			d.ups[p.step], d.ends[p.step] = p.from, p.to
		}
	}
	all := steps
	if before != nil {
		all = append([]Step{*before}, steps...)
	}
	names, things := hosts(all), existing(all)
	d.high = laneTop + laneEvery*float64(len(names)) + 26*float64(len(things)) + 34
	fmt.Fprintf(d, `<svg viewBox="0 0 %.0f %.0f" role="img" aria-label="Timeline of the steps">`, width, d.high)
	d.WriteString(`<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="2" height="6" class="stripe"/></pattern>` +
		`<pattern id="relay" width="8" height="8" patternUnits="userSpaceOnUse"><circle cx="4" cy="4" r="1.7" class="dot"/></pattern></defs>`)
	d.axis(list)
	for i, name := range names {
		d.lane(name, laneTop+laneEvery*float64(i))
	}
	for i, thing := range things {
		d.exists(thing, laneTop+laneEvery*float64(len(names))+26*float64(i)+10)
	}
	d.WriteString("</svg>")
	return template.HTML(d.String()) // every text in it was escaped as it was written
}

// states are the steps with the time from their end to the next one's.
func (d *drawing) states(draw func(s Step, from, to float64)) {
	if d.before != nil {
		draw(*d.before, leftEdge, d.ends[0])
	}
	for i, s := range d.steps {
		to := width - leftEdge
		if i+1 < len(d.ends) {
			to = d.ends[i+1]
		}
		draw(s, d.ends[i], to)
	}
}

func (d *drawing) rect(class string, x, y, w, h float64, title string) {
	fmt.Fprintf(d, `<rect class="%s" x="%.2f" y="%.2f" width="%.2f" height="%.2f">`, class, x, y, w, h)
	if title != "" {
		fmt.Fprintf(d, "<title>%s</title>", template.HTMLEscapeString(title))
	}
	d.WriteString("</rect>")
}

func (d *drawing) text(class string, x, y float64, text string) {
	fmt.Fprintf(d, `<text class="%s" x="%.2f" y="%.2f">%s</text>`, class, x, y, template.HTMLEscapeString(text))
}

// axis draws the bands of the steps, their numbers, and the breaks.
func (d *drawing) axis(list []piece) {
	bottom := d.high - 24
	for _, p := range list {
		s := d.steps[p.step]
		about := map[string]string{"wait": s.Wait, "manual": "by hand: " + s.Manual, "up": "deployment"}[p.kind]
		d.rect("band "+p.kind, p.from, 28, p.to-p.from, bottom-28, fmt.Sprintf("%d %s: %s, %s", p.step+1, s.Name, about, Minutes(p.minutes)))
		if !p.cut {
			continue
		}
		mid := (p.from + p.to) / 2
		fmt.Fprintf(d, `<path class="break" d="M%.1f 28 l4 8 l-8 8 l8 8 M%.1f 28 l4 8 l-8 8 l8 8"/>`, mid-3, mid+3)
		d.text("cut", mid, bottom+14, Minutes(p.minutes))
	}
	for i, end := range d.ends {
		class := "mark"
		if !d.steps[i].OK() {
			class = "mark bad"
		}
		fmt.Fprintf(d, `<line class="%s" x1="%.2f" x2="%.2f" y1="28" y2="%.2f"/>`, class, end, end, bottom)
		fmt.Fprintf(d, `<g class="%s"><circle cx="%.2f" cy="15" r="10"/>`, class, end)
		d.text("number", end, 19.5, fmt.Sprint(i+1))
		d.WriteString("</g>")
	}
	d.scale(list, bottom)
}

// scale draws how long half an hour is, where something is drawn that long.
func (d *drawing) scale(list []piece, y float64) {
	for _, p := range list {
		if p.minutes >= 30 && !p.cut {
			half := (p.to - p.from) / p.minutes * 30
			fmt.Fprintf(d, `<path class="break" d="M%.1f %.1f v6 M%.1f %.1f h%.1f M%.1f %.1f v6"/>`, leftEdge, y+7, leftEdge, y+10, half, leftEdge+half, y+7)
			d.text("scale", leftEdge+half+6, y+15, "30 min")
			return
		}
	}
}

// hosts lists every public name, in the order in which they came.
func hosts(steps []Step) []string {
	var out []string
	for _, s := range steps {
		for _, a := range s.Names {
			if !slices.Contains(out, a.Host) {
				out = append(out, a.Host)
			}
		}
	}
	return out
}

// lane draws who serves a name, and when nobody did.
func (d *drawing) lane(host string, y float64) {
	d.text("name", leftEdge, y-4, host)
	d.states(func(s Step, from, to float64) {
		for _, a := range s.Names {
			if a.Host == host {
				d.serving(a, from, y, to-from)
			}
		}
	})
	for i, s := range d.steps {
		for kind, gaps := range map[string][]serving.Gap{"gap": s.Interrupted, "lost": s.Unserved} {
			for _, g := range gaps {
				if g.Host == host {
					d.gap(kind, g, i, y)
				}
			}
		}
	}
}

// serving draws one answer: a bar as high as the share.
func (d *drawing) serving(a serving.Answer, x, y, w float64) {
	targets := a.Main()
	slices.SortStableFunc(targets, func(p, q serving.Target) int {
		return cmp.Or(cmp.Compare(class(q), class(p)), cmp.Compare(p.Place, q.Place))
	})
	at := y
	for _, t := range targets {
		high := laneHigh * t.Share
		title := fmt.Sprintf("%s: %.0f %% by %s", a.Host, 100*t.Share, t.Place)
		if t.Via != "" {
			title += ", passed on by " + t.Via
		}
		if t.ReadOnly {
			title += ", read-only"
		}
		kind := class(t)
		if !t.Answers() {
			kind, title = "lost", title+": "+t.Why
		}
		d.rect("bar "+kind, x, at, w, high, title)
		if t.Via != "" {
			d.rect("overlay relayed", x, at, w, high, title)
		}
		if t.ReadOnly {
			d.rect("overlay frozen", x, at, w, high, title)
		}
		at += high
	}
}

// class is how a target is coloured.
func class(t serving.Target) string {
	if t.Platform == serving.Server {
		return "server"
	}
	switch t.Place {
	case "cloudfront":
		return "edge"
	case "eu-west-1":
		return "aws"
	}
	return "region"
}

// gap draws a time without an answer, which began when the deployment did or later; nobody knows when.
func (d *drawing) gap(kind string, g serving.Gap, step int, y float64) {
	span := d.ends[step] - d.ups[step]
	wide := 4.0
	if m := d.steps[step].UpMinutes; m > 0 {
		wide = min(span, max(wide, span*g.Seconds/60/m))
	}
	x := d.ups[step] + (span-wide)/2
	text := g.String()
	if kind == "gap" {
		text = Interruption(g)
	}
	d.rect("bar "+kind, x, y-2, wide, laneHigh+4, text)
}

// thing is something that exists for a while.
type thing struct{ name, class string }

// existing lists the servers and regions, in the order in which they came.
func existing(steps []Step) []thing {
	var out []thing
	add := func(name, class string) {
		if one := (thing{name, class}); !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	for _, s := range steps {
		for _, name := range s.Servers {
			add(name, "server")
		}
		for _, name := range s.Regions {
			if name == "eu-west-1" || len(s.Regions) == 1 {
				add(name, "aws")
			} else {
				add(name, "region")
			}
		}
	}
	order := []string{"server", "aws", "region"}
	slices.SortStableFunc(out, func(a, b thing) int {
		return cmp.Compare(slices.Index(order, a.class), slices.Index(order, b.class))
	})
	return out
}

// exists draws when a server or a region is there.
func (d *drawing) exists(t thing, y float64) {
	d.text("name", leftEdge, y+2, t.name)
	d.states(func(s Step, from, to float64) {
		if slices.Contains(s.Servers, t.name) || slices.Contains(s.Regions, t.name) {
			d.rect("bar "+t.class, from, y+6, to-from, existHigh, t.name+" exists")
		}
	})
}
