package serving

import (
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/morphee-app/morphee-infra/internal/sim/provider"
)

// story is a deployment that is watched.
type story struct {
	made
	watch *Watch
}

func watchOver(m made, data ...string) *story {
	return &story{m, NewWatch(m.World, []string{host}, data)}
}

// does makes a change and tells the watch of it.
func (s *story) does(kind, name string, change func()) {
	s.t.Helper()
	r := s.All("", "")[0]
	for _, one := range s.All("", "") {
		if named(one) == name {
			r = one
		}
	}
	urn, typ := r.URN, r.Type
	change()
	if named(r) != name { // it is new
		urn, typ = s.find(name).URN, s.find(name).Type
	}
	s.watch.Observe(s.World, provider.Operation{URN: resource.URN(urn), Type: typ, Kind: kind, Takes: 10 * time.Second})
}

func (s *story) end() []Gap {
	gaps, _ := s.watch.End(s.World)
	return gaps
}

// one holds the only gap against what it has to be.
func one(t *testing.T, gaps []Gap, interruption bool, seconds, share float64, why string) {
	t.Helper()
	if len(gaps) != 1 {
		t.Fatalf("%d gaps, want one: %v", len(gaps), gaps)
	}
	g := gaps[0]
	if g.Interruption() != interruption || g.Seconds != seconds || g.Share != share || !strings.Contains(g.String(), why) {
		t.Errorf("%+v, want interruption %v, %v s, share %v, because of %q", g, interruption, seconds, share, why)
	}
}

func TestNothingHappens(t *testing.T) {
	s := watchOver(server(t))
	s.does("update", "traefik", func() {})
	if gaps := s.end(); len(gaps) > 0 {
		t.Errorf("%v", gaps)
	}
}

func TestTheOnlyContainerIsReplaced(t *testing.T) {
	for name, why := range map[string]string{"backend": "takes requests", "traefik": "has port 443"} {
		s := watchOver(server(t))
		gone := s.find(name)
		s.does("delete", name, func() { s.remove(name) })
		s.does("create", name, func() { s.Put(gone) })
		gaps := s.end()
		one(t, gaps, true, 20, 1, why)
		if len(gaps[0].Replaced) != 1 || gaps[0].Replaced[0] != name {
			t.Errorf("replaced %v, want %s", gaps[0].Replaced, name)
		}
	}
}

// What happens in between, and is not needed, does not count.
func TestNarrow(t *testing.T) {
	s := watchOver(server(t))
	gone, other := s.find("backend"), s.find("vps")
	s.does("delete", "backend", func() { s.remove("backend") })
	s.does("update", "vps", func() {})
	s.does("create", "backend", func() { s.Put(gone) })
	g := s.end()[0]
	if g.Seconds != 30 {
		t.Errorf("%v s, want 30", g.Seconds)
	}
	if got := g.Narrow(nil).Seconds; got != 20 {
		t.Errorf("narrowed to %v s, want 20", got)
	}
	if got := g.Narrow(map[string][]string{gone.URN: {other.URN}}).Seconds; got != 30 {
		t.Errorf("with the server needed: %v s, want 30", got)
	}
}

func TestTwoContainersAreReplacedOneByOne(t *testing.T) {
	m := server(t)
	m.container("second", routed("Host(`api.example.org`)", "8000"))
	s := watchOver(m)
	for _, name := range []string{"second", "backend"} {
		gone := s.find(name)
		s.does("delete", name, func() { s.remove(name) })
		s.does("create", name, func() { s.Put(gone) })
	}
	if gaps := s.end(); len(gaps) > 0 {
		t.Errorf("%v", gaps)
	}
}

// A container that goes while another one comes is no replacement in place.
func TestAnotherContainerTakesOverLate(t *testing.T) {
	s := watchOver(server(t))
	s.does("delete", "backend", func() { s.remove("backend") })
	s.does("create", "second", func() { s.container("second", routed("Host(`api.example.org`)", "8000")) })
	one(t, s.end(), false, 20, 1, "takes requests")
}

func TestARecordIsReplaced(t *testing.T) {
	s := watchOver(server(t))
	gone := s.find("dns-" + host + "-CNAME")
	s.does("delete", named(gone), func() { s.remove(named(gone)) })
	s.does("create", named(gone), func() { s.Put(gone) })
	one(t, s.end(), false, 20, 1, "no record of api.example.org")
}

func TestNobodyServesAtTheEnd(t *testing.T) {
	s := watchOver(server(t))
	s.does("delete", "backend", func() { s.remove("backend") })
	gaps := s.end()
	one(t, gaps, false, 10, 1, "still so after the step")
	if !gaps[0].Lasting {
		t.Error("it is not lasting")
	}
}

// A name that was never served before is not missed until it is; at the end it has to be.
func TestANewName(t *testing.T) {
	m := server(t)
	gone := m.find("backend")
	m.remove("backend")
	s := watchOver(m)
	s.does("update", "traefik", func() {})
	s.does("create", "backend", func() { s.Put(gone) })
	if gaps := s.end(); len(gaps) > 0 {
		t.Errorf("%v", gaps)
	}
	s = watchOver(made{server(t).World, t})
	s.remove("backend")
	s.watch = NewWatch(s.World, []string{host}, nil)
	one(t, s.end(), false, 0, 1, "takes requests")
}

func TestAServerChangesItsType(t *testing.T) {
	s := watchOver(server(t))
	s.does("update", "vps", func() { s.set("vps", "serverType", "cpx42") })
	one(t, s.end(), true, 180, 1, "switched off while its serverType changes")
}

// The only task of a service stops before its successor starts, unless the service keeps it.
func TestAServiceIsDeployed(t *testing.T) {
	for _, c := range []struct {
		minimum, tasks float64
		stops          bool
	}{{100, 1, false}, {50, 1, false}, {0, 1, true}, {0, 2, true}} {
		m := server(t).aws()
		m.weighted("aws", 100, "", nil)
		m.set("service", "desiredCount", c.tasks)
		m.set("service", "deploymentMinimumHealthyPercent", c.minimum)
		m.put("eu-west-1", taskType, "arn:task2", "task2", object{})
		s := watchOver(m)
		s.does("update", "service", func() { s.set("service", "taskDefinition", "arn:task2") })
		gaps := s.end()
		if c.stops {
			one(t, gaps, true, 10, 1, "service")
		} else if len(gaps) > 0 {
			t.Errorf("%+v: %v", c, gaps)
		}
	}
}

// When half of the clients are led to what is dead, half of them are lost, and a health check ends that.
func TestHalfOfTheClients(t *testing.T) {
	s := watchOver(both(t, 50, 50))
	s.does("update", "service", func() { s.set("service", "desiredCount", 0) })
	s.does("update", "service", func() { s.set("service", "desiredCount", 2) })
	one(t, s.end(), false, 20, 0.5, "runs no task")

	m := both(t, 50, 50)
	m.set("record-aws", "aliases", list(object{"name": "alb.eu-west-1.elb.amazonaws.com", "zoneId": "Z32", "evaluateTargetHealth": true}))
	s = watchOver(m)
	s.does("update", "service", func() { s.set("service", "desiredCount", 0) })
	for range 10 {
		s.does("update", "service", func() {})
	}
	one(t, s.end(), false, 60, 0.5, "runs no task")
}

// A name moves in place, and what it led to before goes at once: who still has the old answer is lost.
func TestOldAnswers(t *testing.T) {
	m := server(t).aws()
	m.weighted("aws", 100, "", nil)
	m.set("dns-"+host+"-CNAME", "content", "vps.example.org")
	s := watchOver(m)
	s.does("update", "dns-"+host+"-CNAME", func() { s.set("dns-"+host+"-CNAME", "content", "api.aws.example.org") })
	if len(s.watch.gaps) > 0 {
		t.Fatalf("the move itself: %v", s.watch.gaps)
	}
	s.does("delete", "backend", func() { s.remove("backend") })
	one(t, s.end(), false, 10, 1, "who still has the answer from before")
}

func TestWhoIsWritten(t *testing.T) {
	cname := "dns-" + host + "-CNAME"
	move := func(s *story, to string) { s.does("update", cname, func() { s.set(cname, "content", to) }) }
	for name, c := range map[string]struct {
		vps, aws float64
		play     func(s *story)
		want     string
	}{
		"one platform":     {100, 0, func(s *story) { s.does("update", "traefik", func() {}) }, ""},
		"two at once":      {50, 50, func(*story) {}, "at the same time"},
		"at once, by TTLs": {0, 100, func(s *story) { move(s, "vps.example.org") }, "at the same time"},
		"without a pause": {100, 0, func(s *story) {
			// The server stops serving and AWS begins in one operation.
			s.does("update", "backend", func() { s.set("backend", "start", false); s.set(cname, "content", "alb.eu-west-1.elb.amazonaws.com") })
		}, "without a time in which nothing could be written"},
		"with a pause": {100, 0, func(s *story) {
			s.does("update", "backend", func() { s.set("backend", "start", false) })
			move(s, "alb.eu-west-1.elb.amazonaws.com")
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := watchOver(both(t, c.vps, c.aws), host)
			c.play(s)
			s.end()
			if got := s.watch.Split(); c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
