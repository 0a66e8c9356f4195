package rule

import "strings"

// Types that several packs look at.
const (
	DockerContainer = "docker:index/container:Container"
	DockerVolume    = "docker:index/volume:Volume"
	TaskDefinition  = "aws:ecs/taskDefinition:TaskDefinition"
	EcsService      = "aws:ecs/service:Service"
)

// TaskContainers are the container definitions of a task definition. known is false while they are
// not known: their JSON text is one value, so one unknown image hides all of it.
func TaskContainers(r *Resource) (list []Value, known bool) {
	doc, _ := r.Memo("containers", func() any { return r.In("containerDefinitions").JSON() }).(Value)
	if doc.Unknown() {
		return nil, false
	}
	return doc.List(), true
}

// Env is one environment variable.
type Env struct {
	Name  string
	Value Value
}

// DockerEnv are the variables of a Docker container. A variable whose text is unknown has no name yet.
func DockerEnv(envs Value) []Env {
	var out []Env
	for _, e := range envs.List() {
		if e.Unknown() {
			out = append(out, Env{Value: e})
			continue
		}
		name, value, _ := strings.Cut(e.Text(), "=")
		out = append(out, Env{name, e.with(e.path, value)})
	}
	return out
}

// EcsEnv are the plain variables of a container definition.
func EcsEnv(container Value) []Env {
	var out []Env
	for _, e := range container.At("environment").List() {
		out = append(out, Env{e.At("name").Text(), e.At("value")})
	}
	return out
}

// Idle says that a Docker container never runs: it only carries a volume while files are written.
func Idle(r *Resource) bool {
	start := r.In("start")
	return !start.Unknown() && !start.Absent() && !start.True() && r.In("networkMode").Text() == "none"
}

// Pinned says whether an image names its version by a tag other than latest, or by a digest.
func Pinned(image string) bool {
	if _, digest, ok := strings.Cut(image, "@"); ok {
		return strings.HasPrefix(digest, "sha256:") && len(digest) == len("sha256:")+64
	}
	if strings.HasPrefix(image, "sha256:") {
		return true
	}
	last := image[strings.LastIndex(image, "/")+1:]
	_, tag, ok := strings.Cut(last, ":")
	return ok && tag != "" && tag != "latest"
}
