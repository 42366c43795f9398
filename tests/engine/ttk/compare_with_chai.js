// Runs the same expressions through the real chai and through our own `expect`, and compares what each one says.
// node compare_with_chai.js CHAI_FOLDER OUR_JS_FOLDER [--facts]: prints JSON, the differences or a sample of chai's answers.
'use strict';
const fs = require('fs');
const path = require('path');
const [chaiFolder, ourFolder, mode] = process.argv.slice(2);
const { expect } = require(require.resolve('chai', { paths: [chaiFolder] }));
const kit = {};
for (const name of ['values', 'expect', 'methods']) (0, eval)(fs.readFileSync(path.join(ourFolder, `${name}.js`), 'utf8'))(kit);

const vals=['1','0','-0','NaN','Infinity','5.25','"abc"','""','"it\'s\\n"','"a long string that is longer than forty characters in all"','null','undefined','true','false','[]','[1,2,3]','["a","b"]','[{a:1},{b:2}]','{}','{a:1}','{a:1,b:{c:[1,2,{d:4}]}}','{amount:"100",currency:"USD",transferId:"b51ec534-ee48-4575-b6a9-ead2955b8069"}','new Map([["a",1],["b",2]])','new Map([["a",1]])','new Set([1,2])','new Set()','/ab+c/gi','new Date(0)','new Date(NaN)','()=>1','function foo(a){return a}','class Foo{}','new (class Bar{constructor(){this.x=1}})()','Symbol("s")','10n','new Error("boom")','new TypeError("bad type of thing that is quite long indeed, really")','[undefined,null]','{"content-type":"application/vnd.interoperability.parties+json;version=1.1"}','new Uint8Array([1,2,3])','Object.create(null)','(function(){return arguments})(1,2)','Promise.resolve(1)'.slice(0,0)||'new WeakSet()','[[1,[2,[3,[4]]]],["some long text here","another long text here"]]','{a:{b:{c:{d:1}}}}','"abcdefghijklmnopqrstuvwxyz0123456789ab"','"abcdefghijklmnopqrstuvwxyz0123456789abc"','[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]','{"a b":1,"c\'d":2,"e\\"f":3}','new String("x")','new Number(3)','{toString(){return "x"}}','()=>{throw new TypeError("boom")}','()=>{throw "str"}','()=>{throw new Error("")}','function(){}'];
const props=['ok','true','false','null','undefined','NaN','exist','empty','arguments','extensible','sealed','frozen','finite'];
const m1=['equal','eql','deep.equal','include','deep.include','nested.include','own.include','contain','members','include.members','ordered.members','deep.members','oneOf','deep.oneOf','contain.oneOf','property','own.property','nested.property','deep.property','ownPropertyDescriptor','lengthOf','length','lengthOf.above','lengthOf.at.least','length.below','have.length.of.at.most','above','least','below','most','string','match','keys','any.keys','all.keys','include.keys','contain.any.keys','deep.keys','instanceof','respondTo','itself.respondTo','satisfy','throw','a','an','closeTo','change','increase','decrease','eq','by'];
let exprs=[];
for(const v of vals){for(const p of props)for(const n of ['','not.'])exprs.push(`expect(${v}).to.${n}be.${p}`);
 for(const m of m1)for(const a of vals)for(const n of ['','not.'])exprs.push(`expect(${v}).to.${n}${m}(${a})`);}
const two=[['property','"a"','1'],['property','"a"','2'],['nested.property','"b.c[2].d"','4'],['nested.property','"b.c[0]"','4'],['deep.property','"b"','{c:[1,2,{d:4}]}'],['own.property','"a"','1'],['within','1','3'],['lengthOf.within','1','3'],['within','new Date(0)','new Date(5)'],['closeTo','1','0.5'],['keys','"a"','"b"'],['any.keys','"a"','"z"'],['include.all.keys','"a"','"z"'],['keys','["a"]','"b"'],['throw','TypeError','"boom"'],['throw','TypeError','/x/'],['throw','Error','"zz"'],['throw','new Error("q")','"boom"'],['throw','RangeError','"nope"'],['equal','1','"msg"'],['include','"a"','"msg"'],['a','"string"','"msg"'],['property','"zz"','undefined','"msg"'],['ownProperty','"a"','3'],['ownPropertyDescriptor','"a"','{value:1}'],['lengthOf','3','"why"'],['above','0','"why"'],['satisfy','x=>x','"why"'],['oneOf','[1]','"m"'],['match','/a/','"m"'],['change','{a:1}','"a"'],['increase','{a:1}','"a"']];
for(const v of vals)for(const t of two)for(const n of ['','not.'])exprs.push(`expect(${v}).to.${n}${t[0]}(${t.slice(1).join(',')})`);
for(const v of vals.slice(0,20))exprs.push(`expect(${v},"note").to.equal(7)`,`expect(${v}).to.equals2(1)`,`expect(${v}).to.be.nul`,`expect(${v}).equal.foo`,`expect(${v}).to.be.a.length(1)`,`expect(${v}).to.have.property('length').that.is.a('number').above(1)`,`expect(${v}).to.be.empty()`,`expect(${v}).to.include.length(1)`,`expect(${v}).length.foo`,`expect(${v}).to.be.an("array").that.includes(1)`,`expect(${v}).to.include({a:1,b:2})`,`expect(${v}).to.not.include({a:1,b:2})`,`expect.fail()`,`expect.fail("x")`,`expect.fail(1,2)`,`expect.fail(1,2,"m")`);

function said(expectation, expression) {
  try {
    new Function('expect', `return ${expression}`)(expectation);
    return 'ok';
  } catch (problem) {
    return problem instanceof Error ? `${problem.name}: ${problem.message}` : `thrown: ${problem}`;
  }
}

if (mode === '--facts') {
  // A sample that holds every word of the vocabulary: one expression in 211, and all of the chains at the end.
  const chosen = exprs.filter((_, i) => i % 211 === 0 || i > exprs.length - 300);
  console.log(JSON.stringify(Object.fromEntries(chosen.map((one) => [one, said(expect, one)])), null, 0).replace(/","expect/g, '",\n"expect'));
} else {
  const differences = exprs
    .map((one) => ({ expression: one, chai: said(expect, one), ours: said(kit.expectFor({ count: 0 }), one) }))
    .filter(({ chai, ours }) => chai !== ours);
  console.log(JSON.stringify({ expressions: exprs.length, differences: differences.slice(0, 20) }));
}
