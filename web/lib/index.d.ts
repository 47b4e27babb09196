export * from './calltab.js'
