package account_test

import (
	"testing"

	"apostille/broker/account"
	"apostille/broker/page"
)

func TestEveryLanguageSaysEverything(t *testing.T) {
	t.Parallel()
	page.CheckMessages(t, account.Messages, "account")
}
