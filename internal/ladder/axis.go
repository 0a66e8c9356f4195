package ladder

// The timeline's measures, in the units of its view box.
const (
	width     = 960.0
	leftEdge  = 8.0
	rightEdge = 38.0  // the state after the last step
	broken    = 46.0  // a long time, drawn short, with a break in the axis
	long      = 180.0 // minutes; what is longer is drawn broken
	widest    = 8.0   // of a minute
	narrowest = 21.0  // of a step, so that its number has room
	laneTop   = 58.0
	laneEvery = 44.0
	laneHigh  = 20.0
	existHigh = 8.0
)

// piece is a part of the time axis: from and to in units.
type piece struct {
	from, to float64
	kind     string // wait, manual or up
	minutes  float64
	step     int
	cut      bool // broken
}

// axis lays the steps out from left to right. Long waits are broken; a step is never too narrow for its
// number.
func axis(steps []Step) []piece {
	var out []piece
	scaled, fixed := 0.0, 0.0
	for i, s := range steps {
		for _, p := range []piece{{kind: "wait", minutes: s.WaitMinutes}, {kind: "manual", minutes: s.ManualMinutes}, {kind: "up", minutes: s.UpMinutes}} {
			if p.minutes == 0 && p.kind != "up" {
				continue
			}
			p.step, p.cut = i, p.minutes > long
			if p.cut {
				fixed += broken
			} else {
				scaled += p.minutes
			}
			out = append(out, p)
		}
	}
	room := width - leftEdge - rightEdge - fixed
	// Narrow steps take room from the wide ones.
	per := min(room/max(scaled, 1), widest)
	for range 8 {
		extra, wide := 0.0, 0.0
		for _, w := range widths(out, len(steps), per) {
			if w < narrowest {
				extra += narrowest
			} else {
				wide += w
			}
		}
		per = min(per*max(0.2, (room-extra)/max(wide, 1)), widest)
	}
	at := leftEdge
	each := widths(out, len(steps), per)
	for i := range out {
		p := &out[i]
		w := p.minutes * per
		if p.cut {
			w = broken
		} else if each[p.step] < narrowest {
			w = narrowest * (p.minutes + 0.01) / (stepMinutes(out, p.step) + 0.01*float64(pieces(out, p.step)))
		}
		p.from, p.to = at, at+w
		at += w
	}
	// What rounding left over or took too much of.
	stretch := min(1, (width-leftEdge-rightEdge)/(at-leftEdge))
	for i := range out {
		out[i].from, out[i].to = leftEdge+(out[i].from-leftEdge)*stretch, leftEdge+(out[i].to-leftEdge)*stretch
	}
	return out
}

// widths of the steps' parts that are drawn to scale.
func widths(list []piece, steps int, per float64) []float64 {
	out := make([]float64, steps)
	for _, p := range list {
		if !p.cut {
			out[p.step] += p.minutes * per
		}
	}
	return out
}

func stepMinutes(list []piece, step int) float64 {
	total := 0.0
	for _, p := range list {
		if p.step == step && !p.cut {
			total += p.minutes
		}
	}
	return total
}

func pieces(list []piece, step int) int {
	n := 0
	for _, p := range list {
		if p.step == step && !p.cut {
			n++
		}
	}
	return n
}
