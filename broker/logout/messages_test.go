package logout_test

import (
	"testing"

	"apostille/broker/logout"
	"apostille/broker/page"
)

func TestEveryLanguageSaysEverything(t *testing.T) {
	t.Parallel()
	page.CheckMessages(t, logout.Messages, "logout")
}
