package aws

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/morphee-app/morphee-infra/internal/recorder"
)

func registryArgs() *ContainerRegistryArgs {
	return &ContainerRegistryArgs{Namespace: "morphee-test", Repositories: []string{"backend", "backup"}, KmsKeyArn: keyArn("images"), Tags: testTags}
}

func TestContainerRegistryTwice(t *testing.T) {
	list := register(t, func(ctx *pulumi.Context) error {
		if _, err := NewContainerRegistry(ctx, "a", registryArgs()); err != nil {
			return err
		}
		args := registryArgs()
		args.Namespace, args.Repositories, args.Disposable = "morphee-other", []string{"backend"}, true
		args.PullThrough = PublicUpstreams("morphee-other", ecrPublic, "quay.io", "docker.io")
		c, err := NewContainerRegistry(ctx, "b", args)
		if err != nil {
			return err
		}
		if n := len(c.PullThroughArns(pulumi.String(testAccount), testRegion)); n != 2 {
			t.Errorf("%d repositories are pulled through, want 2", n)
		}
		return nil
	})
	recorder.ExpectCounts(t, list, map[string]int{
		ContainerRegistryType: 2, "aws:ecr/repository:Repository": 3, "aws:ecr/lifecyclePolicy:LifecyclePolicy": 3,
		"aws:ecr/pullThroughCacheRule:PullThroughCacheRule": 2,
	})
	repo := recorder.Must(t, list, "aws:ecr/repository:Repository", "a-backend")
	recorder.Expect(t, repo, map[string]any{
		"name": "morphee-test/backend", "imageTagMutability": "IMMUTABLE", "imageScanningConfiguration.scanOnPush": true,
		"encryptionConfigurations.0.encryptionType": "KMS", "encryptionConfigurations.0.kmsKey": "arn:aws:kms:eu-central-1:123456789012:key/images",
		"forceDelete": false, "tags.owner": "platform",
	})
	if !repo.Protect || !strings.HasSuffix(repo.Parent, ContainerRegistryType+"::a") {
		t.Errorf("protect %v, parent %s", repo.Protect, repo.Parent)
	}
	disposable := recorder.Must(t, list, "aws:ecr/repository:Repository", "b-backend")
	if disposable.Protect || disposable.Input("forceDelete") != true {
		t.Error("a disposable stack could not delete its images")
	}
	policy := recorder.Must(t, list, "aws:ecr/lifecyclePolicy:LifecyclePolicy", "a-backend-lifecycle").Input("policy").(string)
	for _, part := range []string{`"countNumber":50`, `"countNumber":7`, `"tagStatus":"untagged"`} {
		if !strings.Contains(policy, part) {
			t.Errorf("lifecycle policy lacks %s: %s", part, policy)
		}
	}
	recorder.Expect(t, recorder.Must(t, list, "aws:ecr/pullThroughCacheRule:PullThroughCacheRule", "b-pull-morphee-other-public"), map[string]any{
		"ecrRepositoryPrefix": "morphee-other-public", "upstreamRegistryUrl": "public.ecr.aws",
	})
}

func TestContainerRegistryRefuses(t *testing.T) {
	for field, spoil := range map[string]func(*ContainerRegistryArgs){
		"Namespace":          func(a *ContainerRegistryArgs) { a.Namespace = "Morphee" },
		"Repositories":       func(a *ContainerRegistryArgs) { a.Repositories = []string{"a", "a"} },
		"KmsKeyArn":          func(a *ContainerRegistryArgs) { a.KmsKeyArn = nil },
		"KeepImages":         func(a *ContainerRegistryArgs) { a.KeepImages = 1 },
		"UntaggedDays":       func(a *ContainerRegistryArgs) { a.UntaggedDays = -1 },
		"PullThrough.Prefix": func(a *ContainerRegistryArgs) { a.PullThrough = []PullThrough{{Prefix: "x", UpstreamUrl: ecrPublic}} },
		"PullThrough.UpstreamUrl": func(a *ContainerRegistryArgs) {
			a.PullThrough = []PullThrough{{Prefix: "public", UpstreamUrl: "https://quay.io"}}
		},
	} {
		recorder.Refuses(t, field, func(ctx *pulumi.Context) error {
			args := registryArgs()
			spoil(args)
			_, err := NewContainerRegistry(ctx, "a", args)
			return err
		})
	}
}

func TestImagesComeThroughTheCache(t *testing.T) {
	c := &ContainerRegistry{pullThrough: PublicUpstreams("morphee-test", ecrPublic)}
	const cache = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/morphee-test-public/"
	for reference, want := range map[string]string{
		"postgres:15.14-bookworm":                           cache + "docker/library/postgres:15.14-bookworm",
		"supabase/gotrue:v2.180.0":                          cache + "supabase/gotrue:v2.180.0",
		"public.ecr.aws/x/y:1":                              cache + "x/y:1",
		"quay.io/x/y:1":                                     "quay.io/x/y:1",
		"someone/else:1":                                    "someone/else:1",
		"codeberg.org/forgejo/forgejo:13.0.2-rootless":      "codeberg.org/forgejo/forgejo:13.0.2-rootless",
		"ghcr.io/morphee-app/backend:1.0.0@sha256:deadbeef": "ghcr.io/morphee-app/backend:1.0.0@sha256:deadbeef",
	} {
		got := make(chan string, 1)
		register(t, func(ctx *pulumi.Context) error {
			c.Image(reference, pulumi.String(testAccount), testRegion).ToStringOutput().ApplyT(func(s string) string { got <- s; return s })
			return nil
		})
		if s := <-got; s != want {
			t.Errorf("%s is pulled as %s, want %s", reference, s, want)
		}
	}
	if long := PublicUpstreams(fmt.Sprintf("%040d", 7), ecrPublic)[0].Prefix; len(long) > 30 {
		t.Errorf("prefix %s is longer than AWS takes", long)
	}
}
