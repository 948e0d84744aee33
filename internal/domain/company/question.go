package company

import (
	"fmt"
	"slices"
	"strings"

	"vidimus/internal/domain/fault"
)

// userFields are the fields of 3.2.8 that a question may depend on.
var userFields = []string{
	"birthday", "birthname", "birthplace", "city", "country", "custom1", "custom2", "custom3", "custom4", "custom5", "email",
	"firstname", "gender", "lastname", "mobilephone", "nationality", "preferredLang", "street", "streetnumber", "title",
	"trackingid", "zipcode",
}

// checkQuestions looks at each question, and at what one says about another.
func (c Company) checkQuestions(m *mistakes) {
	if len(c.Questions) > maxQuestions {
		m.add("questions", "at most %d questions are expected", maxQuestions)
		return
	}
	seen := map[string]bool{}
	for i, d := range c.Questions {
		path := fmt.Sprintf("questions[%d]", i)
		for _, f := range fault.All(d.Check()) {
			m.list = append(m.list, f.In(path+"."+f.Key))
		}
		fold := strings.ToLower(d.Key) // the key is a part of file names, which some systems fold
		m.check(!seen[fold], path+".key", "a key that no other question has, in any letter case, is expected")
		seen[fold] = true
		for _, name := range sortedKeys(d.ShowIf) {
			c.checkCondition(m, path+".show_if."+name, d.Key, name)
		}
	}
}

// checkCondition looks at one name in show_if of the question with that key.
func (c Company) checkCondition(m *mistakes, path, key, name string) {
	if slices.Contains(userFields, name) {
		return
	}
	if _, ok := c.Question(name); !ok || name == key {
		m.add(path, "a field of the user, such as country, or the key of another question is expected")
	} else if c.dependsOn(name, key, map[string]bool{}) {
		m.add(path, "a question that does not itself depend on this one is expected")
	}
}

// dependsOn says whether the question from is shown only after the question to, directly or
// through others. visited are those already looked at.
func (c Company) dependsOn(from, to string, visited map[string]bool) bool {
	d, ok := c.Question(from)
	if !ok || visited[from] {
		return false
	}
	visited[from] = true
	for name := range d.ShowIf {
		if slices.Contains(userFields, name) {
			continue
		}
		if name == to || c.dependsOn(name, to, visited) {
			return true
		}
	}
	return false
}
