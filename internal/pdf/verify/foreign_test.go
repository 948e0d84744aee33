package verify

import (
	"context"
	"errors"
	"testing"
)

// TestUnreadableObjectsStayUnreadable asks twice: an error must not turn into nothing.
func TestUnreadableObjectsStayUnreadable(t *testing.T) {
	p := newPDF(t)
	p.revise(map[int]string{objFree: "<< /Broken"})
	d, err := open(p.data, newBudget(context.Background()))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		if v, err := d.get(ref{num: objFree}); !errors.Is(err, errSyntax) {
			t.Errorf("asked %d times: %v, %v", n+1, v, err)
		}
	}
}
