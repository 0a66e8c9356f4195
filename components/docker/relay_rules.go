package docker

import (
	"fmt"
	"regexp"
	"strings"
)

// writingMethods of HTTP. WebSockets begin with a GET.
var writingMethods = []string{"POST", "PUT", "PATCH", "DELETE"}

const (
	// gitReads are the POST requests by which git reads: clone and fetch, and the question where
	// the large files are.
	gitReads = `/(git-upload-pack|info/lfs/objects/batch)$`
	// gitRefs is the first request of both fetch and push; the query tells which.
	gitRefs = `/info/refs$`
)

// writes is the rule, in the syntax of Traefik 3, for the requests that write.
func (h RelayHost) writes() string {
	var methods []string
	for _, m := range writingMethods {
		methods = append(methods, fmt.Sprintf("Method(`%s`)", m))
	}
	when := []string{strings.Join(methods, " || ")}
	if h.Git {
		when = []string{
			fmt.Sprintf("(%s) && !(Method(`POST`) && PathRegexp(`%s`))", when[0], gitReads),
			fmt.Sprintf("(PathRegexp(`%s`) && Query(`service`, `git-receive-pack`))", gitRefs),
		}
	}
	for _, path := range h.WritePaths {
		when = append(when, fmt.Sprintf("PathRegexp(`^%s/?$`)", regexp.QuoteMeta(strings.TrimSuffix(path, "/"))))
	}
	return strings.Join(when, " || ")
}
