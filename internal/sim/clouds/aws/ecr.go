package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

const (
	repositoryToken       = "aws:ecr/repository:Repository"
	registryLifecycle     = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
	repositoryPolicyToken = "aws:ecr/repositoryPolicy:RepositoryPolicy"
)

func registryTypes() []cloud.Type {
	return []cloud.Type{repositoryType(), imageLifecycleType(), repositoryPolicyType(), pullThroughType(), registryScanType(), registryReplicationType()}
}

var repositoryName = regexp.MustCompile(`^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`)

func repositoryType() cloud.Type {
	return cloud.Type{
		Token: repositoryToken,
		Create: func(c *cloud.Call) error {
			name := c.In.String("name")
			if len(name) < 2 || len(name) > 256 || !repositoryName.MatchString(name) {
				return refuse("ECR", "CreateRepository", "InvalidParameterException", "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression %s', 2 to 256 characters (got %q)", repositoryName, name)
			}
			if c.Find(repositoryToken, name) != nil {
				return refuse("ECR", "CreateRepository", "RepositoryAlreadyExistsException", "The repository with name '%s' already exists in the registry with id '%s'", name, accountID)
			}
			for _, e := range c.In.Objects("encryptionConfigurations") {
				if why := keyUsable(c, e.String("kmsKey")); why != "" {
					return refuse("ECR", "CreateRepository", "KmsException", "%s", why)
				}
				if e.String("kmsKey") != "" && e.String("encryptionType") != "KMS" {
					return refuse("ECR", "CreateRepository", "InvalidParameterException", "Invalid parameter at 'encryptionConfiguration': a KMS key goes with the encryption type KMS")
				}
			}
			c.ID, c.Out["arn"], c.Out["registryId"] = name, arn("ecr", c.Scope, "repository/"+name), accountID
			c.Out["repositoryUrl"] = accountID + ".dkr.ecr." + c.Scope + ".amazonaws.com/" + name
			return nil
		},
		Delete: func(c *cloud.Call) error {
			if r := remembered(c, "ecr-images", c.ID); r != nil && !c.Old.Bool("forceDelete") {
				return refuse("ECR", "DeleteRepository", "RepositoryNotEmptyException", "The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", c.ID, accountID)
			}
			forget(c, "ecr-images", c.ID)
			return nil
		},
		Takes: cloud.Durations{Create: seconds(2), Update: seconds(2), Delete: seconds(3)},
	}
}

func mustHaveRepository(c *cloud.Call, op string) error {
	if name := c.In.String("repository"); c.Find(repositoryToken, name) == nil {
		return refuse("ECR", op, "RepositoryNotFoundException", "The repository with name '%s' does not exist in the registry with id '%s'", name, accountID)
	}
	return nil
}

func imageLifecycleType() cloud.Type {
	return cloud.Type{
		Token: registryLifecycle,
		Check: func(c *cloud.CheckCall) { checkJSON(c, "policy") },
		Create: func(c *cloud.Call) error {
			if err := mustHaveRepository(c, "PutLifecyclePolicy"); err != nil {
				return err
			}
			if why := imageLifecycleProblem(policyText(c.In.Get("policy"))); why != "" {
				return refuse("ECR", "PutLifecyclePolicy", "InvalidParameterException", "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: %s'", why)
			}
			c.ID, c.Out["registryId"] = c.In.String("repository"), accountID
			return nil
		},
	}
}

// imageLifecycleProblem tells what ECR finds wrong with a lifecycle policy, or "".
func imageLifecycleProblem(text string) string {
	v, err := cloud.JSON(text)
	doc, _ := v.(cloud.Object)
	rules := doc.Objects("rules")
	if err != nil || len(rules) == 0 || len(rules) != len(doc.List("rules")) {
		return "object has missing required properties ([\"rules\"])"
	}
	priorities, anyRule := map[int]bool{}, 0
	for _, r := range rules {
		p, s := r.Int("rulePriority"), r.Object("selection")
		status := s.String("tagStatus")
		tags := len(s.Strings("tagPrefixList")) + len(s.Strings("tagPatternList"))
		switch {
		case p < 1:
			return "rulePriority must be at least 1"
		case priorities[p]:
			return fmt.Sprintf("rules must have unique rulePriority, %d is there twice", p)
		case r.String("action.type") != "expire":
			return fmt.Sprintf("rule %d: action type must be expire", p)
		case !slices.Contains([]string{"tagged", "untagged", "any"}, status):
			return fmt.Sprintf("rule %d: tagStatus must be tagged, untagged or any, got %q", p, status)
		case status == "tagged" && tags == 0:
			return fmt.Sprintf("rule %d: tagStatus tagged needs tagPrefixList or tagPatternList", p)
		case status != "tagged" && tags > 0:
			return fmt.Sprintf("rule %d: tagPrefixList and tagPatternList go with tagStatus tagged only", p)
		case s.Int("countNumber") < 1:
			return fmt.Sprintf("rule %d: countNumber must be at least 1", p)
		case s.String("countType") == "sinceImagePushed" && s.String("countUnit") != "days":
			return fmt.Sprintf("rule %d: countType sinceImagePushed needs countUnit days", p)
		case s.String("countType") == "imageCountMoreThan" && s.Has("countUnit"):
			return fmt.Sprintf("rule %d: countType imageCountMoreThan takes no countUnit", p)
		case s.String("countType") != "sinceImagePushed" && s.String("countType") != "imageCountMoreThan":
			return fmt.Sprintf("rule %d: countType must be imageCountMoreThan or sinceImagePushed, got %q", p, s.String("countType"))
		}
		priorities[p] = true
		if status == "any" {
			anyRule = p
		}
	}
	for p := range priorities {
		if anyRule > 0 && p > anyRule {
			return fmt.Sprintf("the rule with tagStatus any must have the highest rulePriority, %d is above its %d", p, anyRule)
		}
	}
	return ""
}

func repositoryPolicyType() cloud.Type {
	return written(cloud.Type{
		Token: repositoryPolicyToken,
		Check: func(c *cloud.CheckCall) { checkJSON(c, "policy") },
	}, func(c *cloud.Call) error {
		if err := mustHaveRepository(c, "SetRepositoryPolicy"); err != nil {
			return err
		}
		doc, why := checkResourcePolicy(c.World, c.In.Get("policy"), 10240)
		if why == "" {
			for _, s := range doc.Statements {
				if len(s.Resources) > 0 {
					why = "a repository policy has no Resource: it is the repository"
				}
				for _, a := range s.Actions {
					if a != "*" && !strings.HasPrefix(a, "ecr:") {
						why = "invalid action " + a
					}
				}
			}
		}
		if why != "" {
			return refuse("ECR", "SetRepositoryPolicy", "InvalidParameterException", "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided' (%s)", why)
		}
		c.Out["registryId"] = accountID
		return nil
	}, func(c *cloud.Call) error {
		c.ID = c.In.String("repository")
		return nil
	})
}

// upstreams are the registries that a pull-through rule can stand for, and whether they need credentials.
var upstreams = map[string]bool{"public.ecr.aws": false, "registry.k8s.io": false, "quay.io": false,
	"registry-1.docker.io": true, "ghcr.io": true, "registry.gitlab.com": true, "cgr.dev": true}

var pullPrefix = regexp.MustCompile(`^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`)

func pullThroughType() cloud.Type {
	return cloud.Type{
		Token: "aws:ecr/pullThroughCacheRule:PullThroughCacheRule",
		Create: func(c *cloud.Call) error {
			const op = "CreatePullThroughCacheRule"
			url, prefix, secret := c.In.String("upstreamRegistryUrl"), c.In.String("ecrRepositoryPrefix"), c.In.String("credentialArn")
			needs, known := upstreams[url]
			known = known || strings.HasSuffix(url, ".azurecr.io") || strings.Contains(url, ".dkr.ecr.")
			needs = needs || strings.HasSuffix(url, ".azurecr.io")
			switch {
			case prefix != "ROOT" && !pullPrefix.MatchString(prefix):
				return refuse("ECR", op, "InvalidParameterException", "Invalid parameter at 'ecrRepositoryPrefix': %q", prefix)
			case !known:
				return refuse("ECR", op, "UnsupportedUpstreamRegistryException", "The specified upstream registry isn't supported: %s", url)
			case c.Find(c.Type, prefix) != nil:
				return refuse("ECR", op, "PullThroughCacheRuleAlreadyExistsException", "A pull through cache rule with the prefix '%s' already exists", prefix)
			case needs && secret == "":
				return refuse("ECR", op, "InvalidParameterException", "The upstream registry %s requires a credentialArn", url)
			}
			if secret != "" {
				s := findSecret(c.World, c.Scope, secret)
				if s == nil {
					return refuse("ECR", op, "SecretNotFoundException", "The ARN of the secret specified in the pull through cache rule was not found: %s", secret)
				}
				if !strings.HasPrefix(s.Out.String("name"), "ecr-pullthroughcache/") {
					return refuse("ECR", op, "InvalidParameterException", "The secret's name must start with 'ecr-pullthroughcache/', got %q", s.Out.String("name"))
				}
			}
			c.ID, c.Out["registryId"] = prefix, accountID
			return nil
		},
	}
}

func registryScanType() cloud.Type {
	return written(cloud.Type{Token: "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"}, func(c *cloud.Call) error {
		for _, r := range c.In.Objects("rules") {
			if f := r.String("scanFrequency"); f == "CONTINUOUS_SCAN" && c.In.String("scanType") == "BASIC" {
				return refuse("ECR", "PutRegistryScanningConfiguration", "ValidationException", "The scan frequency %s is not available with scan type BASIC", f)
			}
		}
		return nil
	}, single)
}

func registryReplicationType() cloud.Type {
	return written(cloud.Type{Token: "aws:ecr/replicationConfiguration:ReplicationConfiguration"}, func(c *cloud.Call) error {
		for _, r := range c.In.Objects("replicationConfiguration.rules") {
			for _, d := range r.Objects("destinations") {
				if region := d.String("region"); regions[region] == nil || region == c.Scope && d.String("registryId") == accountID {
					return refuse("ECR", "PutReplicationConfiguration", "ValidationException", "Invalid replication destination %s/%s: another region of this registry, or another registry", d.String("registryId"), region)
				}
			}
		}
		return nil
	}, single)
}

// single is the creation of a setting that a registry has one of: its id is the account.
func single(c *cloud.Call) error {
	if len(c.All(c.Type)) > 0 {
		return cloud.Refuse("SettingConflict", "the registry in %s has this setting from another resource already, each would overwrite the other: keep one", c.Scope)
	}
	c.ID, c.Out["registryId"] = accountID, accountID
	return nil
}
