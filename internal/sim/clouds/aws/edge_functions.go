package aws

import (
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

// edgeFunctions are the lookups of those services.
func edgeFunctions() map[string]cloud.Function {
	return map[string]cloud.Function{
		"aws:iam/getRole:getRole":                                                    lookUp(roleToken, "name", "no IAM role named %s", true),
		"aws:iam/getPolicy:getPolicy":                                                lookUpPolicy,
		"aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider":                  lookUpOIDC,
		"aws:kms/getKey:getKey":                                                      lookUpKey("keyId"),
		"aws:kms/getAlias:getAlias":                                                  lookUpAlias,
		"aws:s3/getBucket:getBucket":                                                 lookUpBucket,
		"aws:s3/getCanonicalUserId:getCanonicalUserId":                               canonicalUser,
		"aws:cloudfront/getCachePolicy:getCachePolicy":                               lookUpBehaviorPolicy(cachePolicyToken),
		"aws:cloudfront/getOriginRequestPolicy:getOriginRequestPolicy":               lookUpBehaviorPolicy(originPolicyToken),
		"aws:cloudfront/getResponseHeadersPolicy:getResponseHeadersPolicy":           lookUpBehaviorPolicy(headersPolicyToken),
		"aws:cloudfront/getLogDeliveryCanonicalUserId:getLogDeliveryCanonicalUserId": logDeliveryUser,
		"aws:acm/getCertificate:getCertificate":                                      lookUpCertificate,
		"aws:route53/getZone:getZone":                                                lookUpZone,
		"aws:secretsmanager/getSecret:getSecret":                                     lookUpSecret,
		"aws:secretsmanager/getSecretVersion:getSecretVersion":                       lookUpSecretVersion,
		"aws:secretsmanager/getRandomPassword:getRandomPassword":                     randomPassword,
		"aws:ssm/getParameter:getParameter":                                          lookUpParameter,
		"aws:sns/getTopic:getTopic":                                                  lookUp(topicToken, "name", "no SNS topic named %s", false),
		"aws:cloudwatch/getLogGroup:getLogGroup":                                     lookUp(logGroupToken, "name", "no log group named %s", false),
		"aws:ecr/getRepository:getRepository":                                        lookUp(repositoryToken, "name", "ECR Repository (%s) not found", false),
		"aws:ecr/getAuthorizationToken:getAuthorizationToken":                        registryToken,
		"aws:backup/getVault:getVault":                                               lookUp(vaultToken, "name", "Backup vault %s not found", false),
	}
}

// found answers with everything that the cloud says of the resource, and its id.
func found(r *cloud.Resource) cloud.Object {
	out := r.Out.Clone()
	out["id"] = r.ID
	return out
}

// lookUp answers by the value of one property.
func lookUp(token, property, missing string, global bool) cloud.Function {
	return func(c *cloud.InvokeCall) (cloud.Object, error) {
		scope := c.Scope
		if global {
			scope = ""
		}
		want := c.In.String(property)
		if r := byProperty(c.World.All(scope, token), property, want); r != nil {
			return found(r), nil
		}
		return nil, cloud.Refuse("NotFound", missing, want)
	}
}

func lookUpPolicy(c *cloud.InvokeCall) (cloud.Object, error) {
	id, name := c.In.String("arn"), c.In.String("name")
	for _, r := range c.World.All("", managedPolicyToken) {
		if r.ID == id || name != "" && r.Out.String("name") == name {
			return found(r), nil
		}
	}
	for resource := range awsManaged {
		managed := "arn:aws:iam::aws:" + resource
		if own := resource[strings.LastIndex(resource, "/")+1:]; managed == id || own == name && name != "" {
			return cloud.Object{"id": managed, "arn": managed, "name": own, "path": strings.TrimSuffix(strings.TrimPrefix(resource, "policy"), own)}, nil
		}
	}
	return nil, cloud.Refuse("NoSuchEntity", "reading IAM policy (%s%s): couldn't find resource", id, name)
}

func lookUpOIDC(c *cloud.InvokeCall) (cloud.Object, error) {
	for _, r := range c.World.All("", oidcToken) {
		if r.ID == c.In.String("arn") || strings.TrimPrefix(r.Out.String("url"), "https://") == strings.TrimPrefix(c.In.String("url"), "https://") && c.In.Has("url") {
			return found(r), nil
		}
	}
	return nil, cloud.Refuse("NoSuchEntity", "IAM OIDC Provider %s%s not found", c.In.String("arn"), c.In.String("url"))
}

func lookUpKey(property string) cloud.Function {
	return func(c *cloud.InvokeCall) (cloud.Object, error) {
		ref := c.In.String(property)
		if k := findKey(c.World, c.Scope, ref); k != nil {
			return found(k), nil
		}
		if awsKey(ref) {
			id := c.Gen.UUID(c.Scope + ref)
			return cloud.Object{"id": id, "keyId": ref, "arn": arn("kms", c.Scope, "key/"+id), "enabled": true, "keyManager": "AWS"}, nil
		}
		return nil, cloud.Refuse("NotFoundException", "describing KMS key %s: Invalid keyId", ref)
	}
}

func lookUpAlias(c *cloud.InvokeCall) (cloud.Object, error) {
	name := c.In.String("name")
	if r := c.World.Find(c.Scope, aliasToken, name); r != nil {
		return found(r), nil
	}
	if awsKey(name) {
		id := cloud.Gen{Seed: c.World.Seed}.UUID(c.Scope + name)
		return cloud.Object{"id": arn("kms", c.Scope, name), "name": name, "arn": arn("kms", c.Scope, name), "targetKeyId": id, "targetKeyArn": arn("kms", c.Scope, "key/"+id)}, nil
	}
	return nil, cloud.Refuse("NotFoundException", "reading KMS alias (%s): couldn't find resource", name)
}

func lookUpBucket(c *cloud.InvokeCall) (cloud.Object, error) {
	if r := findBucket(c.World, c.In.String("bucket")); r != nil {
		return found(r), nil
	}
	return nil, cloud.Refuse("NotFound", "reading S3 Bucket (%s): couldn't find resource", c.In.String("bucket"))
}

// The canonical ids: the account's own, and that of the account that writes CloudFront's logs.
func canonicalUser(c *cloud.InvokeCall) (cloud.Object, error) {
	id := fixed(64, "canonical user", accountID)
	return cloud.Object{"id": id, "displayName": "simulated"}, nil
}

func logDeliveryUser(*cloud.InvokeCall) (cloud.Object, error) {
	return cloud.Object{"id": "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"}, nil
}

func lookUpBehaviorPolicy(token string) cloud.Function {
	return func(c *cloud.InvokeCall) (cloud.Object, error) {
		name, id := c.In.String("name"), c.In.String("id")
		for n, managed := range managedPolicies[token] {
			if n == name || managed == id {
				return cloud.Object{"id": managed, "name": n}, nil
			}
		}
		for _, r := range c.World.All("", token) {
			if r.ID == id || name != "" && r.Out.String("name") == name {
				return found(r), nil
			}
		}
		return nil, cloud.Refuse("NotFound", "no matching CloudFront policy (%s%s)", name, id)
	}
}

func lookUpCertificate(c *cloud.InvokeCall) (cloud.Object, error) {
	statuses := c.In.Strings("statuses")
	for _, r := range c.World.All(c.Scope, certificateToken) {
		if dnsEqual(r.Out.String("domainName"), c.In.String("domain")) && (len(statuses) > 0 || issued(c.World, r)) {
			out := found(r)
			out["domain"] = c.In.String("domain")
			return out, nil
		}
	}
	return nil, cloud.Refuse("NotFound", "no ACM Certificate matching domain (%s) in %s", c.In.String("domain"), c.Scope)
}

func lookUpZone(c *cloud.InvokeCall) (cloud.Object, error) {
	for _, r := range c.World.All("", zoneToken) {
		private := len(r.Out.Objects("vpcs")) > 0
		if r.ID == c.In.String("zoneId") || c.In.Has("name") && dnsEqual(r.Out.String("name"), c.In.String("name")) && private == c.In.Bool("privateZone") {
			out := found(r)
			out["zoneId"], out["privateZone"] = r.ID, private
			return out, nil
		}
	}
	return nil, cloud.Refuse("NotFound", "no matching Route 53 Hosted Zone found (%s%s)", c.In.String("name"), c.In.String("zoneId"))
}

func secretOf(c *cloud.InvokeCall) (*cloud.Resource, error) {
	for _, p := range []string{"arn", "name", "secretId"} {
		if r := findSecret(c.World, c.Scope, c.In.String(p)); c.In.Has(p) && r != nil {
			return r, nil
		}
	}
	return nil, cloud.Refuse("ResourceNotFoundException", "couldn't find the secret %s%s%s", c.In.String("arn"), c.In.String("name"), c.In.String("secretId"))
}

func lookUpSecret(c *cloud.InvokeCall) (cloud.Object, error) {
	r, err := secretOf(c)
	if err != nil {
		return nil, err
	}
	return found(r), nil
}

func lookUpSecretVersion(c *cloud.InvokeCall) (cloud.Object, error) {
	s, err := secretOf(c)
	if err != nil {
		return nil, err
	}
	for _, v := range c.World.All(c.Scope, secretVersionToken) {
		if v.Out.String("arn") == s.ID {
			out := found(v)
			out["secretId"] = c.In.String("secretId")
			return out, nil
		}
	}
	return nil, cloud.Refuse("ResourceNotFoundException", "couldn't find a version of secret %s", s.ID)
}

func randomPassword(c *cloud.InvokeCall) (cloud.Object, error) {
	n := c.In.Int("passwordLength")
	if n == 0 {
		n = 32
	}
	return cloud.Object{"id": "password", "randomPassword": c.Gen.Pick("password", letters+"0123456789", n)}, nil
}

// lookUpParameter also answers for the public parameters that name current machine images.
func lookUpParameter(c *cloud.InvokeCall) (cloud.Object, error) {
	name := c.In.String("name")
	if r := c.World.Find(c.Scope, parameterToken, name); r != nil {
		return found(r), nil
	}
	if strings.HasPrefix(name, "/aws/service/ami-") || strings.HasPrefix(name, "/aws/service/ecs/") || strings.HasPrefix(name, "/aws/service/canonical/") {
		value := "ami-0" + fixed(16, c.Scope, name)
		return cloud.Object{"id": name, "name": name, "arn": "arn:aws:ssm:" + c.Scope + "::parameter" + name, "type": "String", "value": value, "insecureValue": value, "version": 1.0}, nil
	}
	return nil, cloud.Refuse("ParameterNotFound", "reading SSM Parameter (%s): couldn't find resource", name)
}

func registryToken(c *cloud.InvokeCall) (cloud.Object, error) {
	return cloud.Object{"id": c.Scope, "userName": "AWS", "password": c.Gen.Pick("token", letters+"0123456789", 64), "authorizationToken": c.Gen.Pick("basic", base64ch, 64),
		"proxyEndpoint": "https://" + accountID + ".dkr.ecr." + c.Scope + ".amazonaws.com", "expiresAt": "2026-01-01T12:00:00Z"}, nil
}
