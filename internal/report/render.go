package report

import (
	"encoding/json"
	"html"
	"strings"
)

// Marker is the first line of a Markdown report, by which a comment is found again.
const Marker = "<!-- morphee-infra-report -->"

const title = "Infrastructure change"

// Markdown renders the report in at most limit characters.
func (r *Report) Markdown(limit int) string { return fit(title, r.groups(), limit, markdown{}) }

// HTML renders the report as a page in at most limit characters.
func (r *Report) HTML(limit int) string { return fit(title, r.groups(), limit, page{}) }

// JSON renders everything, however much it is.
func (r *Report) JSON() ([]byte, error) {
	data, err := json.MarshalIndent(r, "", "  ")
	return append(data, '\n'), err
}

const leftOutText = "Some lists are summarised, because a comment has a limit. The whole report: infra report --format json."

// markdown is what GitHub renders.
type markdown struct{}

func (markdown) open(title string) string { return Marker + "\n## " + title + "\n\n" }

func (markdown) group(title string) string {
	if title == "" {
		return ""
	}
	return "### " + escape(title) + "\n\n"
}

func (markdown) close(leftOut bool) string {
	if leftOut {
		return "---\n" + leftOutText + "\n"
	}
	return ""
}

func (m markdown) block(b *block) string {
	var w strings.Builder
	switch {
	case b.fold:
		w.WriteString("<details><summary>" + html.EscapeString(b.title) + "</summary>\n\n")
	case b.title != "" && b.mark == alarm:
		w.WriteString("#### ❌ " + escape(b.title) + "\n\n")
	case b.title != "":
		w.WriteString("#### " + escape(b.title) + "\n\n")
	}
	if b.text != "" {
		mark := ""
		if b.title == "" {
			mark = map[blockLevel]string{plain: "✅ ", alarm: "❌ "}[b.mark]
		}
		text := escape(b.text)
		if mark != "" {
			text = mark + "**" + text + "**"
		}
		w.WriteString(text + "\n\n")
	}
	if len(b.head) > 0 {
		w.WriteString("| " + strings.Join(b.head, " | ") + " |\n|" + strings.Repeat(" --- |", len(b.head)) + "\n")
		for _, row := range b.rows {
			w.WriteString("|")
			for _, c := range row {
				w.WriteString(" " + m.cell(c) + " |")
			}
			w.WriteString("\n")
		}
		w.WriteString("\n")
	}
	if b.rest != "" {
		w.WriteString(escape(b.rest) + "\n\n")
	}
	if b.fold {
		w.WriteString("</details>\n\n")
	}
	return w.String()
}

func (markdown) cell(c cell) string {
	if !c.code {
		return escape(c.text)
	}
	if strings.TrimSpace(c.text) == "" {
		return ""
	}
	// A fence of more backticks than the text has in a row.
	text := strings.ReplaceAll(oneLine(c.text), "|", `\|`)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return fence + text + fence
}

// escape writes a text so that Markdown takes it for nothing but text: names and messages come from
// whoever opened the pull request. A mention is broken up, so that nobody is notified by it.
func escape(s string) string {
	var w strings.Builder
	for _, r := range oneLine(s) {
		switch {
		case r == '@':
			w.WriteString("@\u200b")
		case r == '<':
			w.WriteString("&lt;")
		case r == '>':
			w.WriteString("&gt;")
		case strings.ContainsRune("\\`*_{}[]#|!~&$", r):
			w.WriteString(`\` + string(r))
		default:
			w.WriteRune(r)
		}
	}
	return strings.ReplaceAll(w.String(), "://", ":\u200b//")
}

// oneLine puts a text on one line, without characters that nobody sees.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd")))
}

// page is a page of its own, without anything to load.
type page struct{}

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}` +
	`table{border-collapse:collapse;margin:.5rem 0}td,th{border:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top}` +
	`.alarm{color:#b00020}summary{cursor:pointer;font-weight:600}`

func (page) open(title string) string {
	return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>` + html.EscapeString(title) +
		`</title><style>` + style + `</style></head><body><h1>` + html.EscapeString(title) + "</h1>\n"
}

func (page) group(title string) string {
	if title == "" {
		return ""
	}
	return "<h2>" + text(title) + "</h2>\n"
}

func (page) close(leftOut bool) string {
	if leftOut {
		return "<hr><p>" + leftOutText + "</p></body></html>\n"
	}
	return "</body></html>\n"
}

func (page) block(b *block) string {
	var w strings.Builder
	class := ""
	if b.mark == alarm {
		class = ` class="alarm"`
	}
	switch {
	case b.fold:
		w.WriteString("<details><summary>" + text(b.title) + "</summary>\n")
	case b.title != "":
		w.WriteString("<h3" + class + ">" + text(b.title) + "</h3>\n")
	}
	if b.text != "" {
		if b.title != "" {
			class = ""
		}
		w.WriteString("<p" + class + ">" + text(b.text) + "</p>\n")
	}
	if len(b.head) > 0 {
		w.WriteString("<table><tr>")
		for _, h := range b.head {
			w.WriteString("<th>" + text(h) + "</th>")
		}
		w.WriteString("</tr>\n")
		for _, row := range b.rows {
			w.WriteString("<tr>")
			for _, c := range row {
				if c.code {
					w.WriteString("<td><code>" + text(c.text) + "</code></td>")
				} else {
					w.WriteString("<td>" + text(c.text) + "</td>")
				}
			}
			w.WriteString("</tr>\n")
		}
		w.WriteString("</table>\n")
	}
	if b.rest != "" {
		w.WriteString("<p>" + text(b.rest) + "</p>\n")
	}
	if b.fold {
		w.WriteString("</details>\n")
	}
	return w.String()
}

func text(s string) string { return html.EscapeString(oneLine(s)) }
