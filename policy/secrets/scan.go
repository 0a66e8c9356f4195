package secrets

import (
	"strings"
	"sync"

	"github.com/morphee-app/morphee-infra/policy/rule"
)

// place is where in a resource a value stands: each has a rule of its own, so that a finding says
// what is wrong with it there.
type place int

const (
	elsewhere place = iota
	environment
	userData
	tags
	sensitive // an input that always holds a secret
)

// leaf is one value with its place, the name it goes by, and what its text looks like.
type leaf struct {
	rule.Value
	place  place
	name   string
	named  bool   // the name promises a secret
	format string // the kind of secret that the text is
	random string // the random-looking stretch of the text
}

// looked fills in what several rules ask of a leaf.
func (l leaf) looked() leaf {
	text := l.Text()
	l.named = promises(l.name)
	if l.format = knownFormat(text); l.format == "" {
		l.random, _ = random(text)
	}
	return l
}

// names remembers what secretName says: there are few names, and each is met many times.
var names sync.Map

func promises(name string) bool {
	if yes, ok := names.Load(name); ok {
		return yes.(bool)
	}
	yes := secretName(name)
	names.Store(name, yes)
	return yes
}

// sensitiveInputs always hold a secret, by type.
var sensitiveInputs = map[string][]string{
	"aws:rds/instance:Instance":                            {"password"},
	"aws:rds/cluster:Cluster":                              {"masterPassword"},
	"aws:elasticache/replicationGroup:ReplicationGroup":    {"authToken"},
	"aws:elasticache/user:User":                            {"passwords", "authenticationMode.passwords"},
	"aws:secretsmanager/secretVersion:SecretVersion":       {"secretString", "secretBinary"},
	"aws:ssm/parameter:Parameter":                          {"value"},
	"aws:acm/certificate:Certificate":                      {"privateKey"},
	"aws:lb/listener:Listener":                             {"defaultActions.0.authenticateOidc.clientSecret"},
	"docker:index/image:Image":                             {"registry.password"},
	"docker:index/registryImage:RegistryImage":             {"authConfig.password"},
	"hcloud:index/uploadedCertificate:UploadedCertificate": {"privateKey"},
	"command:remote:Command":                               {"connection.password", "connection.privateKey"},
	"pulumi:providers:aws":                                 {"secretKey", "token"},
	"pulumi:providers:cloudflare":                          {"apiKey", "apiToken", "apiUserServiceKey"},
	"pulumi:providers:docker":                              {"registryAuth.0.password"},
	"pulumi:providers:hcloud":                              {"token"},
}

func isSensitive(r *rule.Resource, path string) bool {
	for _, p := range sensitiveInputs[r.Type] {
		if path == p || strings.HasPrefix(path, p+".") {
			return true
		}
	}
	return false
}

// scan visits every value of a resource's inputs. They are collected once for all rules.
func scan(r *rule.Resource, visit func(leaf)) {
	leaves, _ := r.Memo("leaves", func() any {
		var list []leaf
		collect(r, func(l leaf) { list = append(list, l.looked()) })
		return list
	}).([]leaf)
	for _, l := range leaves {
		visit(l)
	}
}

func collect(r *rule.Resource, visit func(leaf)) {
	inputs := rule.Of(r.Inputs)
	for _, key := range inputs.Keys() {
		if strings.HasPrefix(key, "__") {
			continue
		}
		v := inputs.Key(key)
		switch {
		case key == "tags" || key == "tagsAll" || key == "labels" || key == "defaultTags":
			scanTags(v, visit)
		case key == "userData" || key == "userDataBase64":
			visit(leaf{Value: v, place: userData, name: key})
		case key == "envs" && r.Type == rule.DockerContainer:
			scanEnv(rule.DockerEnv(v), v, visit)
		case key == "containerDefinitions":
			scanTask(r, v, visit)
		default:
			v.Walk(func(e rule.Value) {
				name := lastName(e.Path())
				l := leaf{Value: e, place: elsewhere, name: name}
				if isSensitive(r, e.Path()) {
					l.place = sensitive
				}
				if key == "uploads" && name == "content" {
					// A file is named by its path, not by the property it stands in.
					l.name = fileName(r.In(strings.TrimSuffix(e.Path(), "content") + "file").Text())
				}
				visit(l)
			})
		}
	}
}

func scanTags(v rule.Value, visit func(leaf)) {
	if v.Unknown() || v.Absent() {
		visit(leaf{Value: v, place: tags})
		return
	}
	if v.IsMap() {
		for _, k := range v.Keys() {
			visit(leaf{Value: v.Key(k), place: tags, name: k})
		}
		return
	}
	for _, e := range v.List() {
		visit(leaf{Value: e.At("value"), place: tags, name: e.At("label").Text()})
	}
}

func scanEnv(list []rule.Env, whole rule.Value, visit func(leaf)) {
	if whole.Unknown() {
		visit(leaf{Value: whole, place: environment})
	}
	for _, e := range list {
		visit(leaf{Value: e.Value, place: environment, name: e.Name})
	}
}

func scanTask(r *rule.Resource, v rule.Value, visit func(leaf)) {
	containers, known := rule.TaskContainers(r)
	if !known || v.Secret() {
		visit(leaf{Value: v, place: environment})
	}
	for _, c := range containers {
		for _, e := range rule.EcsEnv(c) {
			visit(leaf{Value: e.Value, place: environment, name: e.Name})
		}
		for _, k := range c.Keys() {
			if k != "environment" && k != "secrets" {
				c.Key(k).Walk(func(e rule.Value) { visit(leaf{Value: e, place: elsewhere, name: lastName(e.Path())}) })
			}
		}
	}
}

// lastName is the name that a value goes by: the last part of its path that is no position in a list.
func lastName(path string) string {
	parts := strings.Split(path, ".")
	for i := len(parts) - 1; i >= 0; i-- {
		if strings.Trim(parts[i], "0123456789") != "" {
			return parts[i]
		}
	}
	return path
}

func fileName(path string) string { return path[strings.LastIndex(path, "/")+1:] }
