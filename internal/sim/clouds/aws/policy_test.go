package aws

import "testing"

func TestPolicyEvaluation(t *testing.T) {
	const role, root = "arn:aws:iam::123456789012:role/task", "arn:aws:iam::123456789012:root"
	read := accessRequest{kind: "AWS", principal: role, action: "s3:GetObject", resource: "arn:aws:s3:::data/a/b.txt",
		context: map[string]string{"aws:SecureTransport": "true", "aws:SourceAccount": accountID}}
	statement := func(effect, principal, action, resource, condition string) string {
		if condition != "" {
			condition = `,"Condition":` + condition
		}
		return `{"Effect":"` + effect + `","Principal":` + principal + `,"Action":"` + action + `","Resource":"` + resource + `"` + condition + `}`
	}
	mine := `{"AWS":"` + role + `"}`
	everything := statement("Allow", mine, "s3:*", "*", "")
	for _, c := range []struct {
		what, policy string
		want         bool
	}{
		{"exact", allow(statement("Allow", mine, "s3:GetObject", "arn:aws:s3:::data/a/b.txt", "")), true},
		{"the account stands for its roles", allow(statement("Allow", `{"AWS":"`+root+`"}`, "s3:*", "arn:aws:s3:::data/*", "")), true},
		{"everyone", allow(statement("Allow", `"*"`, "s3:Get*", "arn:aws:s3:::data/?/*", "")), true},
		{"actions ignore case", allow(statement("Allow", mine, "S3:getobject", "*", "")), true},
		{"another role", allow(statement("Allow", `{"AWS":"arn:aws:iam::123456789012:role/other"}`, "s3:*", "*", "")), false},
		{"a service is no role", allow(statement("Allow", `{"Service":"s3.amazonaws.com"}`, "s3:*", "*", "")), false},
		{"another action", allow(statement("Allow", mine, "s3:PutObject", "*", "")), false},
		{"another resource", allow(statement("Allow", mine, "s3:*", "arn:aws:s3:::data", "")), false},
		{"deny wins", allow(everything, statement("Deny", `"*"`, "s3:*", "*", "")), false},
		{"deny of plain http does not meet TLS", allow(everything, statement("Deny", `"*"`, "s3:*", "*", `{"Bool":{"aws:SecureTransport":"false"}}`)), true},
		{"condition met", allow(statement("Allow", mine, "s3:*", "*", `{"StringEquals":{"aws:sourceaccount":["1","123456789012"]}}`)), true},
		{"condition not met", allow(statement("Allow", mine, "s3:*", "*", `{"StringEquals":{"aws:SourceAccount":"999999999999"}}`)), false},
		{"key without a value", allow(statement("Allow", mine, "s3:*", "*", `{"StringLike":{"aws:SourceArn":"*"}}`)), false},
		{"key without a value, if it exists", allow(statement("Allow", mine, "s3:*", "*", `{"StringLikeIfExists":{"aws:SourceArn":"x"}}`)), true},
		{"negated", allow(statement("Allow", mine, "s3:*", "*", `{"StringNotEquals":{"aws:SourceAccount":"123456789012"}}`)), false},
		{"everything but", `{"Statement":{"Effect":"Allow","Principal":` + mine + `,"NotAction":"s3:GetObject","Resource":"*"}}`, false},
	} {
		doc, err := parsePolicy(c.policy)
		if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if got := doc.allows(read); got != c.want {
			t.Errorf("%s: allowed %v, want %v", c.what, got, c.want)
		}
	}
}

func TestPublicPolicies(t *testing.T) {
	for condition, want := range map[string]bool{
		"": true,
		`,"Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}}`: false,
		`,"Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`:            true,
		`,"Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`:         false,
		`,"Condition":{"Bool":{"aws:SecureTransport":"true"}}`:               true,
	} {
		doc, err := parsePolicy(allow(`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"` + condition + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if doc.public() != want {
			t.Errorf("public %v, want %v with %q", !want, want, condition)
		}
	}
}

func TestServicePrincipals(t *testing.T) {
	for id, want := range map[string]bool{
		"ecs-tasks.amazonaws.com": true, "logs.eu-west-1.amazonaws.com": true, "monitoring.rds.amazonaws.com": true, "logdelivery.elasticloadbalancing.amazonaws.com": true,
		"ecs-task.amazonaws.com": false, "logs.eu-west-9.amazonaws.com": false, "ecs-tasks": false, "ecs-tasks.amazon.com": false, "log.eu-west-1.amazonaws.com": false,
	} {
		if knownService(id) != want {
			t.Errorf("%s known %v, want %v", id, !want, want)
		}
	}
}
