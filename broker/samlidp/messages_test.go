package samlidp

import (
	"testing"

	"apostille/broker/page"
)

func TestEveryLanguageHasEveryMessage(t *testing.T) {
	t.Parallel()
	page.CheckMessages(t, Messages, "samlidp")
}
