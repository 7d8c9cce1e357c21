package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"apostille/broker/oauth"
	"apostille/upstream/fake"
)

// step is one step of the story.
type step struct {
	name    string // one word; the script names it when the step is not as told
	title   string
	request request  // what is sent; without a URL the step is a command
	command []string // arguments of this program
	stdin   string   // of the command
	keep    string   // variable that keeps the token of the answer
	told    string   // what the answer is, in words
	check   func(reply) error
}

// story is the way of one token, from the head office to the shelf.
func story(u urls, configFile string) []step {
	exchange := func(scope string) request {
		return request{url: u.tokenURL(), user: "hq-replenishment", secret: replenishmentSecret, form: [][2]string{
			{"grant_type", oauth.GrantTypeTokenExchange},
			{"subject_token", "$HQ_TOKEN"},
			{"subject_token_type", oauth.TokenTypeJWT},
			{"audience", "warehouse"},
			{"scope", scope},
		}}
	}
	head := fake.DemoAccounts(u.Broker)[0]
	return []step{
		{
			name: "login", title: "A service of the head office gets a token from its own identity provider.",
			request: request{url: u.HeadOffice + fake.PathToken, user: head.ClientID, secret: head.Secret,
				form: [][2]string{{"grant_type", "client_credentials"}}},
			keep: "HQ_TOKEN", told: "200 and a token", check: answers(200, "access_token", ""),
		},
		{
			name: "foreign", title: "The warehouse does not know the head office. It refuses, and says where to exchange the token.",
			request: request{url: u.Warehouse + "/stock", bearer: "$HQ_TOKEN"},
			told:    "401, exchange it at " + u.tokenURL(), check: answers(401, "error_description", "issued by another domain; exchange it at "+u.tokenURL()),
		},
		{
			name: "exchange", title: "The broker exchanges it for a token of its own, for reading stock levels.",
			request: exchange("stock.read"), keep: "STOCK_TOKEN", told: "200, scope stock.read", check: answers(200, "scope", "stock.read"),
		},
		{
			name: "accepted", title: "With that token the warehouse answers.",
			request: request{url: u.Warehouse + "/stock", bearer: "$STOCK_TOKEN"}, told: "200 and the stock levels", check: answers(200, "stock", ""),
		},
		{
			name: "refused", title: "Ordering is not for the head office: no rule grants it.",
			request: exchange("stock.order"), told: "400, invalid_scope", check: answers(400, "error", oauth.CodeInvalidScope),
		},
		{
			name: "explain", title: "Why? The admin asks the configuration.",
			command: []string{"explain", "--config", configFile, "--client", "hq-replenishment", "--subject-token", "-", "--audience", "warehouse", "--scope", "stock.order"},
			stdin:   "$HQ_TOKEN", told: "exit code 3, each check, each rule and what would have to change", check: explains,
		},
		{
			name: "partner", title: "DDStore has no identity provider. Its inventory system is a client of the broker, and orders.",
			request: request{url: u.DDStore + fake.PathReorder, post: true}, told: "201 and the order", check: answers(201, "order", ""),
		},
	}
}

// answers expects a status and a member of the JSON body; an empty value means any.
func answers(status int, member, value string) func(reply) error {
	return func(r reply) error {
		if r.status != status {
			return fmt.Errorf("status %d instead of %d", r.status, status)
		}
		var body map[string]any
		if err := json.Unmarshal([]byte(r.body), &body); err != nil {
			return fmt.Errorf("the answer is not JSON: %w", err)
		}
		got, there := body[member]
		switch {
		case !there:
			return fmt.Errorf("the answer has no %s", member)
		case value != "" && got != value:
			return fmt.Errorf("%s is %q instead of %q", member, got, value)
		}
		return nil
	}
}

// explains expects a refusal that names the scope and the rule.
func explains(r reply) error {
	if r.status != exitRefused {
		return fmt.Errorf("exit code %d instead of %d", r.status, exitRefused)
	}
	for _, word := range []string{"stock.order", "head-office.grant[0]"} {
		if !strings.Contains(r.body, word) {
			return fmt.Errorf("the explanation does not name %s", word)
		}
	}
	return nil
}
