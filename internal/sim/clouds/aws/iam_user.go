package aws

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

func userType() cloud.Type {
	return cloud.Type{
		Token: userToken,
		Check: func(c *cloud.CheckCall) { checkIAMName(c, "name", "path") },
		Create: func(c *cloud.Call) error {
			if len(c.In.String("name")) > 64 {
				return refuse("IAM", "CreateUser", "ValidationError", "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64")
			}
			return newEntity(c, "CreateUser", "User with name", "user", "AIDA")
		},
		Update: func(c *cloud.Call) error {
			c.Out["arn"] = arn("iam", "", "user"+pathOf(c)+c.In.String("name"))
			return nil
		},
		Delete: func(c *cloud.Call) error {
			if c.Old.Bool("forceDestroy") {
				return nil
			}
			for _, hold := range []struct{ typ, what string }{
				{accessKeyToken, "must delete access keys first."},
				{userAttachmentToken, "must detach all policies first."},
				{userPolicyToken, "must delete policies first."},
			} {
				if len(owned(c, hold.typ, "user", c.ID)) > 0 {
					return refuseStatus(409, "IAM", "DeleteUser", "DeleteConflict", "Cannot delete entity, %s", hold.what)
				}
			}
			return nil
		},
	}
}

func mustBeUser(c *cloud.Call, op, name string) error {
	for _, r := range c.Everywhere(userToken) {
		if r.ID == name {
			return nil
		}
	}
	return refuseStatus(404, "IAM", op, "NoSuchEntity", "The user with name %s cannot be found.", name)
}

func userPolicyType() cloud.Type {
	return written(cloud.Type{
		Token: userPolicyToken,
		Check: func(c *cloud.CheckCall) {
			checkIAMName(c, "name", "")
			checkJSON(c, "policy")
		},
	}, func(c *cloud.Call) error {
		if err := mustBeUser(c, "PutUserPolicy", c.In.String("user")); err != nil {
			return err
		}
		if n := policySize(c.In.Get("policy")); n > 2048 {
			return refuseStatus(409, "IAM", "PutUserPolicy", "LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user %s (%d)", c.In.String("user"), n)
		}
		return checkInline(c, "PutUserPolicy", c.In.Get("policy"))
	}, func(c *cloud.Call) error {
		c.ID = c.In.String("user") + ":" + c.In.String("name")
		computed(c, "namePrefix", "")
		return nil
	})
}

func userAttachmentType() cloud.Type {
	return cloud.Type{
		Token: userAttachmentToken,
		Create: func(c *cloud.Call) error {
			if err := mustBeUser(c, "AttachUserPolicy", c.In.String("user")); err != nil {
				return err
			}
			if err := policyAttachable(c, "AttachUserPolicy", c.In.String("policyArn")); err != nil {
				return err
			}
			c.ID = fmt.Sprintf("%s-%s", c.In.String("user"), c.Gen.Pick("suffix", "0123456789", 26))
			return nil
		},
	}
}

func accessKeyType() cloud.Type {
	return cloud.Type{
		Token: accessKeyToken,
		Create: func(c *cloud.Call) error {
			user := c.In.String("user")
			if err := mustBeUser(c, "CreateAccessKey", user); err != nil {
				return err
			}
			if len(owned(c, accessKeyToken, "user", user)) >= 2 {
				return refuseStatus(409, "IAM", "CreateAccessKey", "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
			}
			// The letters SIM keep the fake from ever being taken for a live key id.
			c.ID = "AKIASIM" + c.Gen.Pick("id", upper32, 13)
			c.Out["createDate"] = c.Gen.Time()
			c.Out["secret"] = c.Gen.Pick("secret", base64ch, 40)
			c.Out["sesSmtpPasswordV4"] = c.Gen.Pick("smtp", base64ch, 44)
			for _, k := range []string{"encryptedSecret", "encryptedSesSmtpPasswordV4", "keyFingerprint"} {
				c.Out[k] = ""
			}
			return nil
		},
	}
}

func profileType() cloud.Type {
	return written(cloud.Type{
		Token: profileToken,
		Check: func(c *cloud.CheckCall) { checkIAMName(c, "name", "path") },
		Takes: cloud.Durations{Create: seconds(7)},
	}, func(c *cloud.Call) error {
		if role := c.In.String("role"); role != "" {
			return mustBeRole(c, "AddRoleToInstanceProfile", role)
		}
		return nil
	}, func(c *cloud.Call) error {
		if err := newEntity(c, "CreateInstanceProfile", "Instance Profile", "instance-profile", "AIPA"); err != nil {
			return err
		}
		c.Out["createDate"] = c.Gen.Time()
		computed(c, "namePrefix", "")
		return nil
	})
}

func oidcType() cloud.Type {
	return cloud.Type{
		Token: oidcToken,
		Check: func(c *cloud.CheckCall) {
			v := c.In.String("url")
			if v == "" {
				return
			}
			u, err := url.Parse(v)
			switch {
			case err != nil || u.Host == "":
				c.Fail("url", "%q has to be a valid URL", v)
			case u.Scheme != "https":
				c.Fail("url", "%q has to use HTTPS scheme (i.e. begin with https://)", v)
			case u.RawQuery != "":
				c.Fail("url", "%q cannot contain query parameters per the OIDC standard", v)
			}
			for i, t := range c.In.Strings("thumbprintLists") {
				if strings.Trim(strings.ToLower(t), "0123456789abcdef") != "" {
					c.Fail(fmt.Sprintf("thumbprintLists[%d]", i), "a thumbprint is the certificate's SHA-1 in 40 hexadecimal digits")
				}
			}
		},
		Create: func(c *cloud.Call) error {
			c.ID = arn("iam", "", "oidc-provider/"+strings.TrimSuffix(strings.TrimPrefix(c.In.String("url"), "https://"), "/"))
			if anywhere(c.World, oidcToken, c.ID) != nil {
				return refuseStatus(409, "IAM", "CreateOpenIDConnectProvider", "EntityAlreadyExists", "Provider with url %s already exists.", c.In.String("url"))
			}
			c.Out["arn"] = c.ID
			if len(c.In.List("thumbprintLists")) == 0 {
				c.Out["thumbprintLists"] = []any{fixed(40, c.In.String("url"))}
			}
			return nil
		},
	}
}
