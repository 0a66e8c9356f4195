package aws

import (
	"regexp"
	"slices"
	"strings"

	"github.com/morphee-app/morphee-infra/internal/sim/cloud"
)

var accessString = regexp.MustCompile(`^(on|off)(\s+\S+)*$`)

func cacheUser() cloud.Type {
	return written(cloud.Type{
		Token: cacheUserType,
		Delete: func(c *cloud.Call) error {
			for _, g := range c.All(cacheUserGroupType) {
				if c.In.String("userName") == "default" && slices.Contains(g.Out.Strings("userIds"), c.ID) {
					return cache("DeleteUser", "DefaultUserAssociatedToUserGroup", "The default user %s is associated to user group %s.", c.ID, g.ID)
				}
			}
			return nil
		},
		Takes: cloud.Durations{Create: seconds(60), Update: seconds(60), Delete: seconds(60)},
	}, func(c *cloud.Call) error {
		op := operation(c, "CreateUser", "ModifyUser")
		if !accessString.MatchString(c.In.String("accessString")) {
			return cache(op, "InvalidParameterValueException", "Access string '%s' is invalid: it must begin with on or off", c.In.String("accessString"))
		}
		mode := c.In.String("authenticationMode.type")
		passwords := slices.Concat(c.In.List("passwords"), c.In.List("authenticationMode.passwords"))
		switch {
		case mode == "password" && len(passwords) == 0 || mode == "" && len(passwords) == 0 && !c.In.Bool("noPasswordRequired"):
			return cache(op, "InvalidParameterCombinationException", "A password or no-password-required must be specified")
		case (mode == "iam" || mode == "no-password-required" || c.In.Bool("noPasswordRequired")) && len(passwords) > 0:
			return cache(op, "InvalidParameterCombinationException", "Passwords cannot be given together with the authentication mode %s", orText(mode, "no-password-required"))
		case len(passwords) > 2:
			return cache(op, "InvalidParameterValueException", "At most 2 passwords can be given")
		case mode == "iam" && c.In.String("userId") != c.In.String("userName"):
			return cache(op, "InvalidParameterValueException", "User name and user id must be identical for IAM authentication")
		}
		for _, p := range passwords {
			if s, _ := p.(string); len(s) < 16 || len(s) > 128 {
				return cache(op, "InvalidParameterValueException", "Passwords must have between 16 and 128 characters")
			}
		}
		return nil
	}, func(c *cloud.Call) error {
		id := strings.ToLower(c.In.String("userId"))
		if c.Find(cacheUserType, id) != nil {
			return cache("CreateUser", "UserAlreadyExists", "User %s already exists.", id)
		}
		c.ID = id
		c.Out["arn"] = arn("elasticache", c.Scope, "user:"+id)
		return nil
	})
}

func cacheUserGroup() cloud.Type {
	return written(cloud.Type{
		Token: cacheUserGroupType,
		InUse: []cloud.Ref{{Type: replicationGroupType, Path: "userGroupIds", Error: func(self, by *cloud.Resource) error {
			return cache("DeleteUserGroup", "InvalidUserGroupState", "User group %s is associated with replication group %s.", self.ID, by.ID)
		}}},
		Takes: cloud.Durations{Create: seconds(60), Update: seconds(60), Delete: seconds(60)},
	}, func(c *cloud.Call) error {
		op := operation(c, "CreateUserGroup", "ModifyUserGroup")
		names := map[string]bool{}
		for _, id := range c.In.Strings("userIds") {
			name := "default"
			if id != "default" {
				u := c.Find(cacheUserType, id)
				if u == nil {
					return cache(op, "UserNotFound", "User %s not found.", id)
				}
				name = u.Out.String("userName")
			}
			if names[name] {
				return cache(op, "DuplicateUserName", "User group has more than one user with the name %s.", name)
			}
			names[name] = true
		}
		if !names["default"] {
			return cache(op, "DefaultUserRequired", "User group needs to contain a user with the user name default.")
		}
		return nil
	}, func(c *cloud.Call) error {
		id := strings.ToLower(c.In.String("userGroupId"))
		if c.Find(cacheUserGroupType, id) != nil {
			return cache("CreateUserGroup", "UserGroupAlreadyExists", "User group %s already exists.", id)
		}
		c.ID = id
		c.Out["arn"] = arn("elasticache", c.Scope, "usergroup:"+id)
		return nil
	})
}
