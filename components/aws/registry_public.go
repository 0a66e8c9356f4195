package aws

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const ecrPublic = "public.ecr.aws"

// publicRegistries are those that ECR caches without credentials, each with the end of the prefix
// that its images get.
var publicRegistries = map[string]string{ecrPublic: "public", "quay.io": "quay", "registry.k8s.io": "k8s"}

// alsoOnEcrPublic are images of Docker Hub that their makers publish on ECR Public too, where pulling
// is neither limited nor paid for. Docker's official images are there under docker/library.
var alsoOnEcrPublic = map[string]string{"supabase/gotrue": "supabase/gotrue"}

// PublicUpstreams are the rules that cache public registries, named by their hosts, under prefixes of
// the namespace. A host that needs credentials is left to the caller.
func PublicUpstreams(namespace string, hosts ...string) []PullThrough {
	short := strings.TrimRight(namespace[:min(len(namespace), 23)], "-_.") // a prefix has 30 characters at most
	var out []PullThrough
	for _, host := range hosts {
		if end, ok := publicRegistries[host]; ok {
			out = append(out, PullThrough{Prefix: short + "-" + end, UpstreamUrl: host})
		}
	}
	return out
}

// Image is the reference under which a task pulls an image: through the cache when the image's
// registry has one here, and as it is otherwise.
func (c *ContainerRegistry) Image(reference string, accountID pulumi.StringInput, region string) pulumi.StringInput {
	host, path := splitImage(reference)
	for _, t := range c.pullThrough {
		if t.UpstreamUrl == host {
			return pulumi.Sprintf("%s.dkr.ecr.%s.amazonaws.com/%s/%s", accountID, region, t.Prefix, path)
		}
	}
	return pulumi.String(reference)
}

// PullThroughArns are the repositories that the cache fills.
func (c *ContainerRegistry) PullThroughArns(accountID pulumi.StringInput, region string) []pulumi.StringInput {
	var out []pulumi.StringInput
	for _, t := range c.pullThrough {
		out = append(out, pulumi.Sprintf("arn:aws:ecr:%s:%s:repository/%s/*", region, accountID, t.Prefix))
	}
	return out
}

// splitImage is the registry that an image can be pulled from, and its path there. Docker Hub's is
// ECR Public's where the image is there as well.
func splitImage(reference string) (host, path string) {
	first, rest, slash := strings.Cut(reference, "/")
	if slash && strings.ContainsAny(first, ".:") {
		return first, rest
	}
	name, version := reference, ""
	if i := strings.IndexAny(reference, ":@"); i >= 0 {
		name, version = reference[:i], reference[i:]
	}
	if there, ok := alsoOnEcrPublic[name]; ok {
		return ecrPublic, there + version
	}
	if !slash {
		return ecrPublic, "docker/library/" + reference
	}
	return "docker.io", reference
}
